import { toldBy } from './git-proxy.ts'
import { lastLine } from './last-line.ts'

interface Explanation {
  pattern: RegExp
  what: string
}

const explanations: Explanation[] = [
  {
    pattern:
      /could not read (Username|Password)|Authentication failed|terminal prompts disabled|Permission denied|unable to read askpass|returned error: 40[13]/i,
    what: 'it needs credentials that this machine does not have, or that are not accepted. Sign git in for this host (a credential helper or an ssh key), then try again',
  },
  {
    pattern:
      /repository '?.*'? (not found|does not exist)|Repository not found|does not appear to be a git repository|not a git repository|not found: |returned error: 404/i,
    what: 'there is no such repository, or it may not be seen with the credentials of this machine. Check the address',
  },
  {
    pattern: /Could not resolve host/i,
    what: 'its host is unknown. Check the address and the network',
  },
  {
    pattern:
      /Connection refused|timed out|No route to host|Network is unreachable|Failed to connect|Could not connect/i,
    what: 'its host can’t be reached. Check the address and the network, then try again',
  },
  {
    pattern: /Host key verification failed/i,
    what: 'its host key is not known. Connect to it once with ssh',
  },
  {
    pattern: /transport '.*' not allowed/i,
    what: 'its kind of address is not allowed. Use https://, ssh:// or a local path',
  },
  { pattern: /No space left on device/i, what: 'the disk is full. Free some space, then try again' },
  { pattern: /File size limit|SIGXFSZ|exceeds/i, what: 'it is larger than the limit for one repository' },
  {
    pattern: /fsck error|index-pack.*died|invalid.*object|bad object|unpacker error/i,
    what: 'git refuses its objects as broken',
  },
]

/** What went wrong, from what git printed, in words that fit after "can’t be cloned: "; with git's own last line. */
export const gitProblem = ({ stderr, timedOut }: { stderr: string; timedOut: boolean }): string => {
  const told = timedOut ? undefined : toldBy(stderr)
  if (told !== undefined) return told.slice(0, 3000)
  const line = lastLine(stderr)
  const what = timedOut
    ? 'it took too long. Try again, or use a smaller repository'
    : explanations.find(({ pattern }) => pattern.test(stderr))?.what
  const said = line === '' ? '' : ` git said: ${line}`
  return `${what ?? 'git failed'}.${said}`.slice(0, 3000)
}
