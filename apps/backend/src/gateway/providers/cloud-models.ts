import type { ModelProviderSetting } from '@berth/contract'

/** Models whose ids at the clouds have a date that Claude Code's names may leave out. */
const dates: Readonly<Record<string, string>> = {
  'claude-opus-4-5': '20251101',
  'claude-haiku-4-5': '20251001',
  'claude-sonnet-4-5': '20250929',
  'claude-opus-4-1': '20250805',
  'claude-opus-4': '20250514',
  'claude-sonnet-4': '20250514',
  'claude-3-7-sonnet': '20250219',
  'claude-3-5-haiku': '20241022',
}

/** Ids that follow no rule. */
const odd: Readonly<Record<string, string>> = { 'claude-opus-4-6': 'anthropic.claude-opus-4-6-v1' }

type Profile = NonNullable<Extract<ModelProviderSetting, { kind: 'bedrock' }>['profile']>

/** Where requests of a region may be answered when nobody says: nearby, where there is such a place for it. */
const profiles: readonly (readonly [RegExp, Profile])[] = [
  [/^us-gov-/, 'us-gov'],
  [/^(us|ca)-/, 'us'],
  [/^eu-/, 'eu'],
  [/^ap-northeast-[13]$/, 'jp'],
  [/^ap-southeast-[24]$/, 'au'],
]

/** The id of a model at Amazon Bedrock, by Claude Code's name. What is no such name is taken for an id. */
export const bedrockId = (
  name: string,
  {
    region,
    profile,
    models,
  }: { region: string; profile?: Profile; models: Readonly<Record<string, string>> },
): string => {
  const known = ownId(name, models)
  if (known !== undefined) return known
  const { base, date } = partsOf(name)
  const plain = date === undefined ? (odd[base] ?? `anthropic.${base}`) : `anthropic.${base}-${date}-v1:0`
  const place = profile ?? profiles.find(([pattern]) => pattern.test(region))?.[1] ?? 'global'
  return place === 'none' ? plain : `${place}.${plain}`
}

/** The id without the place: of a foundation model, where an inference profile isn't taken. */
export const foundationId = (id: string): string =>
  id.replace(/^(global|us-gov|us|eu|apac|jp|au)\.(?=anthropic\.)/, '')

/** The id of a model at Google Vertex AI, by Claude Code's name. */
export const vertexId = (name: string, models: Readonly<Record<string, string>>): string => {
  const known = ownId(name, models)
  if (known !== undefined) return known
  const { base, date } = partsOf(name)
  return date === undefined ? base : `${base}@${date}`
}

/** What the project says, or what is an id already. */
const ownId = (name: string, models: Readonly<Record<string, string>>): string | undefined => {
  if (Object.hasOwn(models, name)) return models[name]
  const plain = withoutWindow(name)
  if (Object.hasOwn(models, plain)) return models[plain]
  return /^claude-[a-z0-9-]+$/.test(plain) ? undefined : plain
}

/** `[1m]` asks Claude Code, not the cloud, for a longer context. */
const withoutWindow = (name: string): string => name.replace(/\[[^\]]*\]$/, '')

const partsOf = (name: string): { base: string; date: string | undefined } => {
  const plain = withoutWindow(name).replace(/-latest$/, '')
  const [, dated, given] = /^(.+)-(\d{8})$/.exec(plain) ?? []
  const base = (dated ?? plain).replace(/^(claude-(?:opus|sonnet)-4)-0$/, '$1')
  return { base, date: given ?? dates[base] }
}

/** A model's name as price lists have it, whichever cloud's id it is. */
export const plainModelName = (id: string): string =>
  id
    .replace(/^arn:.*[:/]/, '')
    .replace(/^(global|us-gov|us|eu|apac|jp|au)\./, '')
    .replace(/^anthropic[./]/, '')
    .replace('@', '-')
