import { join } from 'node:path'
import type { SandboxMount } from '@berth/sandbox'
import type { Layout, Places } from './layout.ts'

/** What the containers of a session's pod show, by the names that are the same everywhere: see docs/decisions/0019. */
export const containerMounts = (
  { outside, inside }: Layout,
  { sockets, mirrors }: { sockets: string; mirrors: string },
): Record<'agent' | 'workspace', SandboxMount[]> => {
  const mount = (name: keyof Places | 'clones', mode: SandboxMount['mode']): SandboxMount => ({
    path: outside[name],
    mode,
    target: inside[name],
  })
  return {
    agent: [
      mount('workspace', 'rw'),
      mount('home', 'rw'),
      ...(['setup', 'workflow', 'attachments'] as const).map((name) => mount(name, 'ro')),
      { path: join(sockets, 'door'), mode: 'ro' },
    ],
    workspace: [
      ...(['workspace', 'home', 'clones', 'shadow', 'workflow'] as const).map((name) => mount(name, 'rw')),
      { path: mirrors, mode: 'ro' },
    ],
  }
}
