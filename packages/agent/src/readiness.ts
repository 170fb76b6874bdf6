import type { SDKControlInitializeResponse } from '@anthropic-ai/claude-agent-sdk'
import { clip } from './bounds.ts'
import type { Emit } from './fact.ts'
import { fieldsOf, listOf, optionalText } from './fields.ts'

/** What is known of a live Claude Code. */
export interface Known {
  conversation: string
  model?: string
  version?: string
  tools?: string[]
  commands?: string[]
  agents?: string[]
}

const names = (items: unknown): string[] =>
  listOf(items)
    .flatMap((item) => optionalText(fieldsOf(item).name) ?? [])
    .slice(0, 500)
    .map((name) => clip(name, 200))

/** Tells what is known of Claude Code, first after the handshake, and again when it changes. */
export const createReadiness = (emit: Emit, first: Known) => {
  let known = first
  let told = false

  const tell = () =>
    emit({
      type: 'agent.ready',
      data: {
        ...known,
        conversation: clip(known.conversation, 100),
        model: known.model && clip(known.model, 200),
        version: known.version && clip(known.version, 50),
        tools: known.tools?.slice(0, 500).map((tool) => clip(tool, 200)),
      },
    })

  return {
    /** After the handshake. */
    handshake(result: SDKControlInitializeResponse) {
      const version = optionalText(fieldsOf(result).claude_code_version)
      known = { ...known, version, commands: names(result.commands), agents: names(result.agents) }
      told = true
      tell()
    },
    /** With each turn. */
    update(facts: Partial<Known>) {
      const before = JSON.stringify(known)
      for (const [key, value] of Object.entries(facts))
        if (value !== undefined) known = { ...known, [key]: value }
      if (told && JSON.stringify(known) !== before) tell()
    },
  }
}
