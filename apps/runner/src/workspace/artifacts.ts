import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Layout } from '../layout.ts'

const name = 'artifacts'

/** Makes the folder where the agent puts what people should find. Whatever it made of it meanwhile stays. */
export const makeArtifacts = async ({ outside }: Layout): Promise<void> => {
  // Not recursive: so a link in its place is not followed.
  await mkdir(join(outside.workspace, name), { mode: 0o775 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** What the agent is told about it. */
export const artifactsInstruction = ({ inside }: Pick<Layout, 'inside'>): string =>
  `Put files that people should get besides the code, such as reports, images and builds, into ${inside.workspace}/${name}.`
