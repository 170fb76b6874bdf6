import type { Client } from '@berth/client'
import type { SessionSummary } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { type GitPod, sampleFiles, startGitPod } from './support/git-pod.ts'
import { images } from './support/images.ts'
import { withInstallation } from './support/installation.ts'
import { ofSession } from './support/leftovers.ts'
import { within } from './support/within.ts'

const project = 'default'

const settled = (client: Client, session: string, condition: (summary: SessionSummary) => boolean) =>
  within(`the condition on ${session}`, async () => {
    const summary = await client.getSession({ params: { project, session } })
    return summary.status.phase === 'failed' || condition(summary) ? summary : undefined
  }).then((summary) => {
    if (summary.status.phase === 'failed') throw new Error(JSON.stringify(summary.status))
    return summary
  })

describe('a session in a pod', () => {
  let git: GitPod

  it('[P101] runs the real Claude Code, changes a file, shows the diff, and leaves nothing', () =>
    withInstallation(
      async ({ client }) => {
        const { version } = await client.getProjectSettings({ params: { project } })
        // What is deleted is not kept for a change of mind.
        await client.updateProjectSettings({ params: { project }, body: { undoHours: 0 }, ifMatch: version })
        const { id: session } = await client.createSession({
          params: { project },
          body: {
            prompt: 'Fix the failing test',
            repositories: [{ url: git.url('tidy-durations') }],
            settings: { permissionMode: 'acceptEdits' },
          },
        })
        const params = { project, session }
        const worked = await settled(client, session, ({ lastTurn }) => lastTurn !== undefined)
        expect(worked.lastTurn).toMatchObject({ result: 'success' })
        expect(worked.sandboxed).toBe(true)

        const idle = await settled(client, session, ({ status }) => status.phase === 'idle')
        expect(idle).toMatchObject({ turns: 1, diff: { files: 1 } })
        expect(await client.getPatch({ params })).toMatch(/^diff --git a\/src\/duration\.js/)

        await client.stopSession({ params })
        await settled(client, session, ({ status }) => status.phase === 'stopped')
        const { repositories } = await client.getChanges({ params })
        expect(repositories).toMatchObject([{ name: 'tidy-durations', files: [{ status: 'modified' }] }])
        const query = { repository: 'tidy-durations', path: 'src/duration.js' }
        const { stream } = await client.getChangedFile({ params, query })
        expect(await new Response(stream).text()).toContain('rest >= size')
        expect(await git.git('tidy-durations', 'rev-list', '--all', '--count')).toBe('1\n')

        await client.deleteSession({ params })
        await within('nothing of the session is in the cluster', async () => {
          const left = await ofSession(session)
          if (left.length > 0) throw new Error(left.join(', '))
          return left
        })
      },
      async (namespace) => {
        git = await startGitPod(namespace, { 'tidy-durations': sampleFiles() })
        return { gitHosts: [git.host] }
      },
    ))

  it('[P103] works in an image of the team’s own, which has no git', () =>
    withInstallation(
      async ({ client }) => {
        const body = { prompt: 'run: node --version && ! command -v git && echo no git, $((6 * 7)) times' }
        const { id: session } = await client.createSession({ params: { project }, body })
        const params = { project, session }
        const worked = await settled(client, session, ({ lastTurn }) => lastTurn !== undefined)
        expect(worked.lastTurn).toMatchObject({ result: 'success' })
        const { items } = await client.listEvents({ params })
        expect(JSON.stringify(items)).toContain('no git, 42 times')
        await client.deleteSession({ params })
      },
      () => ({ runners: { images: { agent: images.team } } }),
    ))
})
