/** What the agent's environment is made from. */
export interface AgentPlace {
  /** A private directory; holds Claude Code's conversations. Absolute, as the agent sees it. */
  home: string
  /** The search path of the agent's programs. */
  path: string
  /** The way to the model: a unix socket (its path at most 104 bytes), as the agent sees it, or a URL. */
  door: { socket: string } | { url: string; key?: string }
  /** More variables, e.g. those which a project exposes; they count before the defaults. */
  extra?: Record<string, string>
}

/** A name that is never resolved: requests go to the socket. */
const socketUrl = 'http://gateway'

/**
 * The smallest environment in which Claude Code works: nothing of this process's environment is in it, and no secret,
 * because the door adds the key.
 */
export const agentEnvironment = ({ home, path, door, extra }: AgentPlace): Record<string, string> => ({
  PATH: path,
  HOME: home,
  LANG: 'C.UTF-8',
  ...('socket' in door
    ? {
        ANTHROPIC_BASE_URL: socketUrl,
        ANTHROPIC_UNIX_SOCKET: door.socket,
        ANTHROPIC_API_KEY: 'held-by-the-gateway',
      }
    : { ANTHROPIC_BASE_URL: door.url, ANTHROPIC_API_KEY: door.key ?? 'held-by-the-gateway' }),
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  // The list of things to do is off by default for programs.
  CLAUDE_CODE_ENABLE_TODO_TOOLS: '1',
  CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD: '1',
  DISABLE_AUTOUPDATER: '1',
  ...extra,
})
