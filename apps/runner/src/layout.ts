import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the parts of a session lie outside. Only `workspace`, `home` and `shadow` can be written from inside. */
export interface Places {
  workspace: string
  /** The agent's private home. */
  home: string
  /** Files that people attached to prompts; read-only inside. */
  attachments: string
  /** What Claude Code reads of its set-up; read-only inside. */
  setup: string
  /** The workflow's directory, or nothing; read-only inside. */
  workflow: string
  /** What git needs beside the repositories to save states; inside only while git runs for the runner. */
  shadow: string
}

export interface Layout {
  /** Are there containers that share some of it? Then their user is not the runner's, and git's directories are made there. */
  container: boolean
  outside: Places & {
    outbox: string
    /** What the runner remembers about the workspace; never inside. */
    state: string
    /** What the runner remembers about the last checkpoint; never inside. */
    checkpoint: string
    /** Half-made clones, on the same file system as the workspace; inside only while they are made. */
    clones: string
  }
  /** The same as the sandbox shows them. */
  inside: Places & {
    clones: string
    /** Where a mirror or repository appears that is only read; empty: where it is. */
    source: string
    door: string
    temporary: string
    /** Berth's own programs; empty: there is no sandbox that could show them. */
    tools: string
  }
}

export interface LayoutOptions {
  sessionDirectory: string
  /** Can the sandbox show a path under another name? Without that everything is where it is. */
  renames: boolean
  doorSocket: string
  /** In a pod: mirrors and the door have the same path on both sides. */
  container?: boolean
}

/**
 * The paths inside are the same for every session and machine, so that Claude Code finds its transcript, which is
 * named after the working directory, wherever the session goes on.
 */
export const createLayout = ({
  sessionDirectory,
  renames,
  doorSocket,
  container = false,
}: LayoutOptions): Layout => {
  const at = (name: string) => join(sessionDirectory, name)
  const places = {
    workspace: at('workspace'),
    home: at('home'),
    attachments: at('attachments'),
    setup: at('setup'),
    workflow: at('workflow'),
    shadow: at('shadow'),
    clones: at('clones'),
  }
  return {
    container,
    outside: {
      ...places,
      outbox: at('outbox'),
      state: at('workspace.json'),
      checkpoint: at('checkpoint.json'),
    },
    inside: renames
      ? {
          workspace: '/workspace',
          home: '/home/agent',
          attachments: '/attachments',
          setup: '/setup',
          workflow: '/workflow',
          shadow: '/shadow',
          clones: '/clones',
          source: container ? '' : '/source',
          door: container ? doorSocket : '/run/door.sock',
          temporary: '/tmp',
          tools: '/opt/berth',
        }
      : { ...places, source: '', door: doorSocket, temporary: at('tmp'), tools: '' },
  }
}

/**
 * Makes those directories that are missing: in a pod the kubelet has made most. What others may see of them is the umask's to say.
 * Tells whether the home is new: afterwards the agent may have put anything there.
 */
export const makeDirectories = async (
  layout: Layout,
  sessionDirectory: string,
): Promise<{ newHome: boolean }> => {
  const { outside } = layout
  await mkdir(sessionDirectory, { recursive: true, mode: 0o700 })
  const { setup, workflow } = outside
  const rest = [
    setup,
    workflow,
    outside.workspace,
    outside.attachments,
    outside.shadow,
    outside.clones,
    outside.outbox,
  ]
  const made = await Promise.all([
    mkdir(outside.home, { recursive: true, mode: 0o770 }),
    ...[...rest, join(sessionDirectory, 'tmp')].map((path) => mkdir(path, { recursive: true, mode: 0o770 })),
  ])
  return { newHome: made[0] !== undefined }
}
