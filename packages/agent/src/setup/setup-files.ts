import type { EffectiveSettings, Skill, SlashCommand } from '@berth/contract'

export type SetupContent = Pick<EffectiveSettings, 'commands' | 'skills' | 'hooks'> & {
  /** Patterns of `CLAUDE.md` files that don't count. */
  excludedMemory?: readonly string[]
}

/** JSON is YAML, so nothing in a value can end the front matter. */
const frontMatter = (fields: Record<string, string | undefined>): string => {
  const lines = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}: ${JSON.stringify(value)}`],
  )
  return `---\n${lines.join('\n')}\n---\n\n`
}

const commandFile = ({ description, argumentHint, prompt }: SlashCommand): string =>
  `${frontMatter({ description, 'argument-hint': argumentHint })}${prompt}\n`

const skillFiles = (name: string, { description, instructions, files = {} }: Skill) => [
  ...Object.entries(files).map(([path, text]) => [`.claude/skills/${name}/${path}`, text]),
  // Last, so that it counts against a file of the same name.
  [`.claude/skills/${name}/SKILL.md`, `${frontMatter({ name, description })}${instructions}\n`],
]

/** The plugin that carries hooks: Claude Code runs those of plugins also where it runs none of a repository. */
export const hooksPlugin = 'plugin'

/** The file with settings that have no option. */
export const settingsFile = 'settings.json'

/**
 * What Claude Code reads from its set-up directory, as contents by relative path: commands and skills as a project has
 * them, so that they are called by their bare names, and hooks as a plugin.
 */
export const setupFiles = ({
  commands,
  skills,
  hooks,
  excludedMemory = [],
}: SetupContent): Record<string, string> =>
  Object.fromEntries([
    ...Object.entries(commands).map(([name, command]) => [
      `.claude/commands/${name}.md`,
      commandFile(command),
    ]),
    ...Object.entries(skills).flatMap(([name, skill]) => skillFiles(name, skill)),
    [
      `${hooksPlugin}/.claude-plugin/plugin.json`,
      JSON.stringify({ name: 'berth', description: 'Hooks of the project' }),
    ],
    [`${hooksPlugin}/hooks/hooks.json`, JSON.stringify({ hooks })],
    [settingsFile, JSON.stringify({ claudeMdExcludes: excludedMemory })],
  ])
