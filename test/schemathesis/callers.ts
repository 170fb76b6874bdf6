import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProjectRole } from '@berth/contract'
import { project, type World } from '../support/world.ts'

/** Who asks. */
export interface Caller {
  name: string
  /** By project. */
  roles: Record<string, ProjectRole>
  /** May do everything, everywhere. */
  platformAdmin?: boolean
  /** Undefined: sends none. */
  token?: string
}

/** Everybody who asks the API. */
export const callers = ['owner', 'admin', 'editor', 'viewer', 'stranger', 'nobody'] as const

/** A caller with its token: the owner's, a key with a role, an admin's key of another project, or none. */
export const callerOf = async (world: World, name: (typeof callers)[number]): Promise<Caller> => {
  switch (name) {
    case 'owner': {
      const token = (await readFile(join(world.dataDir, 'owner-token'), 'utf8')).trim()
      return { name, roles: {}, platformAdmin: true, token }
    }
    case 'nobody':
      return { name, roles: {} }
    case 'stranger':
      await world.client.createProject({ body: { name: 'other' } })
      return keyOf(world, { name, place: 'other', role: 'admin' })
    default:
      return keyOf(world, { name, place: project, role: name })
  }
}

const keyOf = async (
  { client }: World,
  { name, place, role }: { name: string; place: string; role: ProjectRole },
): Promise<Caller> => {
  const key = await client.createKey({ params: { project: place }, body: { name: 'fuzz', role } })
  return { name, roles: { [place]: role }, token: key.secret }
}
