import { text } from 'node:stream/consumers'
import type { Sandbox, SandboxCommand } from './sandbox.ts'
import { SELF_TEST_SCRIPT } from './self-test-script.ts'

/** The settings under test: those of the command that will run, and what it must not see. */
export interface SelfTestContext extends Omit<SandboxCommand, 'command' | 'args' | 'signal'> {
  /** Paths outside that must not exist inside: the data directory, the driver's home, container sockets. */
  hidden: readonly string[]
}

export interface ProbeResult {
  name: string
  ok: boolean
  /** One line for a person. */
  detail: string
}

const TIMEOUT_MS = 10_000
/** What a shell adds that starts another program, as some images have one. */
const shellVariables = ['_', 'SHLVL', 'OLDPWD']
/** The reaper, the shell and its helper; more would be somebody else's. */
const MAX_PROCESSES = 5

interface Facts {
  lines: ReadonlyMap<string, string[]>
  environment: Record<string, string>
}

/** Parses the script's output. */
function parseFacts(output: string): Facts {
  const [head = '', tail = ''] = output.split('\nenvironment\n')
  const pairs = head.split('\n').map((line): [string, string] => {
    const [name = '', ...value] = line.split(' ')
    return [name, value.join(' ')]
  })
  const lines = new Map<string, string[]>()
  for (const [name, value] of pairs) lines.set(name, [...(lines.get(name) ?? []), value])
  const variables = tail.split('\0').filter(Boolean)
  const environment = Object.fromEntries(
    variables.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  )
  return { lines, environment }
}

function environmentProbe(
  actual: Record<string, string>,
  context: SelfTestContext,
  kind: Sandbox['kind'],
): ProbeResult {
  const expected: Record<string, string> = { ...context.env, PWD: context.cwd }
  const added = kind === 'container' ? shellVariables : []
  const names = [...new Set([...Object.keys(expected), ...Object.keys(actual)])].filter(
    (name) => expected[name] !== undefined || !added.includes(name),
  )
  const wrong = names.filter((name) => expected[name] !== actual[name])
  // Names only: a value may be a secret that the project shows to its agent.
  const detail = wrong.length === 0 ? 'exactly what was given' : `differs: ${wrong.join(', ')}`
  return { name: 'environment', ok: wrong.length === 0, detail }
}

/**
 * Judges what the script saw. Pure. In a container, what has the same user may be there already, and the network is a
 * policy's, of which its interfaces say nothing.
 */
export function judge(
  output: string,
  context: SelfTestContext,
  kind: Sandbox['kind'] = 'bubblewrap',
): ProbeResult[] {
  const { lines, environment } = parseFacts(output)
  const all = (name: string): string[] => lines.get(name) ?? []
  const status = (name: string): string => all(`status.${name}:`)[0] ?? 'unknown'
  const probe = (name: string, ok: boolean, detail: string): ProbeResult => ({ name, ok, detail })
  const none = (name: string, found: string[], good: string): ProbeResult =>
    probe(name, found.length === 0, found.length === 0 ? good : found.join(', '))
  const capabilities = ['CapPrm', 'CapEff', 'CapBnd'].map(status)
  const interfaces = all('interface').map((name) => name.split(':')[0] ?? '')
  const processes = Number(all('processes')[0] ?? Number.NaN)
  const foreign = Number(all('foreign')[0] ?? Number.NaN)
  const contained = kind === 'container'
  const door = context.door ? all('door').length > 0 : true
  return [
    probe('user', status('Uid') !== '0' && status('Uid') !== 'unknown', `uid ${status('Uid')}`),
    probe(
      'capabilities',
      capabilities.every((one) => /^0+$/.test(one)),
      capabilities.join(' '),
    ),
    probe('new privileges', status('NoNewPrivs') === '1', `NoNewPrivs ${status('NoNewPrivs')}`),
    probe('system calls', status('Seccomp') === '2', `seccomp mode ${status('Seccomp')}`),
    none('user namespaces', all('namespace'), 'none can be made'),
    none('hidden paths', all('visible'), `${context.hidden.length} paths are not there`),
    none('system files', all('writable'), 'read-only'),
    probe(
      'workspace',
      all('workspace').length > 0,
      all('workspace').length > 0 ? 'writable' : 'not writable',
    ),
    ...(contained
      ? []
      : [
          probe(
            'network',
            interfaces.join() === 'lo',
            interfaces.length > 0 ? interfaces.join(', ') : 'unknown',
          ),
        ]),
    contained
      ? probe('processes', foreign === 0, `${foreign} of other users are visible`)
      : probe('processes', processes <= MAX_PROCESSES, `${processes} are visible`),
    environmentProbe(environment, context, kind),
    probe('door', door, context.door ? (door ? 'present' : 'missing') : 'none was asked for'),
  ]
}

/**
 * Looks at the isolation from inside, under the same settings as the real command: one spawn of a shell.
 * Never rejects; when the sandbox doesn't start, the only result is a failed one called `start`.
 */
export async function selfTest(sandbox: Sandbox, context: SelfTestContext): Promise<ProbeResult[]> {
  const { hidden, ...settings } = context
  const process = sandbox.spawn({
    ...settings,
    command: '/bin/sh',
    args: ['-c', SELF_TEST_SCRIPT, 'self-test', context.door?.target ?? '', ...hidden],
    limits: { ...settings.limits, wallClockMs: TIMEOUT_MS },
  })
  process.stdin.end()
  const [output, errors, exit] = await Promise.all([
    text(process.stdout),
    text(process.stderr),
    process.exited,
  ])
  if (exit.code === 0) return judge(output, context, sandbox.kind)
  return [{ name: 'start', ok: false, detail: `${exit.message} ${errors.trim()}`.trim() }]
}
