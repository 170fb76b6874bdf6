import { BerthError, limits, repositoryName } from '@berth/contract'
import { type Deciders, type Draft, refuseDeleted } from './draft.ts'

/** Names in a workspace that have a meaning already: that of its loose files as a whole, and of what the agent hands over. */
const reserved = ['workspace', 'artifacts']

const shown = (log: Draft, name: string) => {
  refuseDeleted(log.current)
  const found = log.current.summary.repositories.find((item) => item.name === name)
  if (found === undefined)
    throw new BerthError('repository_not_found', `The session has no repository ${name}.`)
  return found
}

/** What people do to the repositories of a session. The runner of a live one reacts to the events. */
export const repositoryDeciders: Deciders<'add-repository' | 'remove-repository' | 'retry-repository'> = {
  'add-repository': (log, { actor, repository }) => {
    refuseDeleted(log.current)
    const { repositories } = log.current.summary
    const name = repository.name ?? repositoryName(repository.url)
    const lower = name.toLowerCase()
    if (repositories.some((item) => item.name.toLowerCase() === lower))
      throw new BerthError(
        'repository_exists',
        `The session has a repository ${name} already. Give this one another name.`,
      )
    if (reserved.includes(lower))
      throw new BerthError('repository_exists', `No repository can be named ${name}. Give it another name.`)
    if (repositories.length >= limits.repositories)
      throw new BerthError(
        'too_many_repositories',
        `A session has at most ${limits.repositories} repositories. Remove one first.`,
      )
    // The name is fixed with the event, so that whoever reads it later need not derive it.
    log.add(actor, { type: 'repository.added', data: { repository: { ...repository, name } } })
  },
  'remove-repository': (log, { actor, name, force, seen }) => {
    shown(log, name)
    const { turn, turns } = log.current.summary
    const working = turn !== undefined && log.current.ready
    if (!force && (working || turns !== seen))
      throw new BerthError(
        'repository_busy',
        `A turn runs, or has run in this moment, and may leave work in ${name}. Try again when it has ended; with force the repository goes away at the end of the turn in any case.`,
      )
    log.add(actor, { type: 'repository.removed', data: { name } })
  },
  'retry-repository': (log, { actor, name }) => {
    const { state } = shown(log, name)
    if (state !== 'failed')
      throw new BerthError(
        'repository_not_failed',
        `${name} is ${state}: only a clone that failed can be tried again.`,
      )
    log.add(actor, { type: 'repository.retried', data: { name } })
  },
}
