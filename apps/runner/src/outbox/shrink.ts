import { type BlobRef, limits, preview, type RunnerFactBody } from '@berth/contract'

/** Stores a text under its hash; called for texts that are too long for an event. */
export type SaveText = (text: string) => Promise<BlobRef>

/** A tool's input may be long in one place; what is shown of each text in it. */
const jsonText = 8 * 1024
const jsonBytes = limits.inlineText

/** Can the fact be appended as it is? */
export const fits = (body: RunnerFactBody): boolean => {
  switch (body.type) {
    case 'block.completed':
    case 'tool.result':
      return body.data.full !== undefined || body.data.text.length <= limits.inlineText
    case 'turn.ended':
      return body.data.message.length <= limits.inlineText
    case 'permission.requested':
      return jsonSize(body.data.input) <= jsonBytes
    case 'agent.raw':
      return jsonSize(body.data.message) <= jsonBytes
    case 'workspace.snapshot':
      return true
    default:
      return true
  }
}

/** Makes a fact fit: long texts go to the blob store and leave their beginning; other long fields are cut. */
export const shrink = async (
  body: RunnerFactBody,
  save: SaveText,
): Promise<{ body: RunnerFactBody; blobs: string[] }> => {
  if (body.type === 'block.completed' || body.type === 'tool.result') {
    const { text } = body.data
    if (body.data.full !== undefined || text.length <= limits.inlineText) return { body, blobs: [] }
    const full = await save(text)
    const data = { ...body.data, text: preview(text, limits.preview), full }
    return { body: { type: body.type, data } as RunnerFactBody, blobs: [full.blob] }
  }
  return { body: cut(body), blobs: [] }
}

const cut = (body: RunnerFactBody): RunnerFactBody => {
  switch (body.type) {
    case 'turn.ended':
      return { ...body, data: { ...body.data, message: preview(body.data.message, limits.inlineText) } }
    case 'permission.requested':
      return { ...body, data: { ...body.data, input: shorten(body.data.input) } }
    case 'agent.raw':
      return { ...body, data: { ...body.data, message: shorten(body.data.message) } }
    default:
      return body
  }
}

type Json = Extract<RunnerFactBody, { type: 'agent.raw' }>['data']['message']

const jsonSize = (value: Json): number => JSON.stringify(value)?.length ?? 0

/** Cuts the long texts in a JSON value; when that is not enough, leaves the beginning of its source. */
export const shorten = (value: Json): Json => {
  if (jsonSize(value) <= jsonBytes) return value
  const shorter = mapTexts(value, (text) =>
    text.length <= jsonText ? text : `${preview(text, jsonText)}… (${text.length} characters in all)`,
  )
  if (jsonSize(shorter) <= jsonBytes) return shorter
  return { truncated: true, beginning: preview(JSON.stringify(value), limits.preview) }
}

const mapTexts = (value: Json, change: (text: string) => string): Json => {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)]))
}
