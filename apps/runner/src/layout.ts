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
  inside: Places & { clones: string; source: string; door: string; temporary: string }
}

export interface LayoutOptions {
  sessionDirectory: string
  /** Can the sandbox show a path under another name? Without that everything is where it is. */
  renames: boolean
  doorSocket: string
}

/**
 * The paths inside are the same for every session and machine, so that Claude Code finds its transcript, which is
 * named after the working directory, wherever the session goes on.
 */
export const createLayout = ({ sessionDirectory, renames, doorSocket }: LayoutOptions): Layout => {
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
          source: '/source',
          door: '/run/door.sock',
          temporary: '/tmp',
        }
      : { ...places, source: '', door: doorSocket, temporary: at('tmp') },
  }
}

/** Makes the directories. Tells whether the home is new: afterwards the agent may have put anything there. */
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
    mkdir(outside.home, { recursive: true, mode: 0o700 }),
    ...[...rest, join(sessionDirectory, 'tmp')].map((path) => mkdir(path, { recursive: true, mode: 0o700 })),
  ])
  return { newHome: made[0] !== undefined }
}
