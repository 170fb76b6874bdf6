import type { BranchList, ListedRepository, SessionGit, SessionSummary } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { padEnd } from '../terminal/width.ts'
import { diffStatText } from './amounts.ts'
import { age } from './duration.ts'
import { wrap } from './wrap.ts'

type Shown = SessionSummary['repositories'][number]

const paints = { ready: 'green', cloning: 'cyan', pending: 'dim', failed: 'red' } as const

/** How far a repository is; nothing when it is ready. */
export const repositoryStateText = ({ state, message }: Shown, style: Style): string => {
  if (state === 'ready') return ''
  const why = message === undefined ? '' : `: ${safeLine(message)}`
  return style[paints[state]](`${state}${why}`)
}

const from = ({ url, branch }: Shown): string => safeLine(`${url}${branch === undefined ? '' : `#${branch}`}`)

const asked = ({ depth, partial, submodules }: ListedRepository): string[] => [
  ...(depth === undefined ? [] : [`depth ${depth}`]),
  ...(partial === true ? ['partial'] : []),
  ...(submodules === true ? ['submodules'] : []),
]

interface RepositoriesView {
  style: Style
  now: number
  columns?: number
  /** How the command is called. */
  berth?: string
  git?: SessionGit
}

/** The repositories of a session, a few lines each. */
export const renderRepositories = (
  items: readonly ListedRepository[],
  { style, columns = 100, berth = 'berth', git, now }: RepositoriesView,
): string => {
  if (items.length === 0) return `No repositories. Add one: ${berth} repo add SESSION URL`
  const width = Math.max(...items.map(({ name }) => name.length))
  const lines = items.flatMap((item) => {
    const state = repositoryStateText(item, style) || style.green('ready')
    const head = [style.bold(padEnd(safeLine(item.name), width)), state, diffStatText(item.diff, style)]
    const told = git?.repositories.find(({ name }) => name === item.name)
    return [
      wrap(head.filter((part) => part !== '').join('  '), columns, 2),
      style.dim(`  ${[`from ${from(item)}`, ...asked(item)].join(', ')}`),
      ...(told === undefined ? [] : [`  ${gitText(told)}`]),
    ]
  })
  const old =
    git?.source === 'snapshot' && git.at !== undefined
      ? [
          style.dim(
            `The session has no runner: git’s state is that of its last turn, ${age(git.at, now)} ago.`,
          ),
        ]
      : []
  return [...lines, ...old].join('\n')
}

const gitText = (state: SessionGit['repositories'][number]): string => {
  const { head, ahead, behind, changed, unpushed, branches, moreBranches = 0, lfsPointers = 0 } = state
  const count = (branches?.length ?? 0) + moreBranches
  return [
    `on ${head === undefined ? 'no branch' : safeLine(head)}`,
    ...(ahead === undefined ? [] : [`${ahead} ahead`]),
    ...(behind === undefined ? [] : [`${behind} behind`]),
    ...(changed === undefined ? [] : [`${changed} changed`]),
    ...(unpushed ? [`${unpushed} not pushed`] : []),
    ...(branches === undefined ? [] : [`${count} branches`]),
    ...(lfsPointers > 0 ? [`${lfsPointers} LFS pointers`] : []),
  ].join(', ')
}

/** Branches, the default one marked. */
export const renderBranches = ({ branches, more, default: main }: BranchList, style: Style): string => {
  if (branches.length === 0) return 'It has no branches yet.'
  const lines = branches.map(({ name, commit }) => {
    const mark = name === main ? style.green('*') : ' '
    return `${mark} ${safeLine(name)}  ${style.dim(commit.slice(0, 10))}`
  })
  return [...lines, ...(more ? [style.dim('  There are more.')] : [])].join('\n')
}
