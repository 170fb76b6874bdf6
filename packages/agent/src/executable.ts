import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { AgentError } from './agent-error.ts'

const isMusl = (): boolean => {
  const header: unknown = process.report?.getReport()
  return (
    typeof header === 'object' &&
    header !== null &&
    'header' in header &&
    typeof header.header === 'object' &&
    header.header !== null &&
    !('glibcVersionRuntime' in header.header)
  )
}

/** The packages that may hold the native Claude Code for a platform, the likelier first. */
export const executablePackages = (platform: string, arch: string, musl: boolean): string[] => {
  const plain = `@anthropic-ai/claude-agent-sdk-${platform}-${arch}`
  if (platform !== 'linux') return [plain]
  return musl ? [`${plain}-musl`, plain] : [plain, `${plain}-musl`]
}

/**
 * The absolute path of the native Claude Code that npm installed with the Agent SDK.
 * @throws {AgentError} `no-executable` when it isn't there.
 */
export const claudeExecutable = (): string => {
  const { platform, arch } = process
  const sdk = createRequire(import.meta.url).resolve('@anthropic-ai/claude-agent-sdk')
  const fromSdk = createRequire(sdk)
  const musl = platform === 'linux' && isMusl()
  const names = executablePackages(platform, arch, musl)
  for (const name of names) {
    try {
      return join(
        dirname(fromSdk.resolve(`${name}/package.json`)),
        platform === 'win32' ? 'claude.exe' : 'claude',
      )
    } catch {
      // Not installed: the next one.
    }
  }
  throw new AgentError(
    'no-executable',
    `Claude Code for ${platform}-${arch} is not installed (${names.join(' or ')}). It is an optional dependency of the Agent SDK: run \`npm install\` again without --omit=optional.`,
  )
}
