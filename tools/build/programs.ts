/** Files that a program reads beside its code. */
export interface Copy {
  from: string
  /** From the directory of the bundle. */
  to: string
}

/** Programs that share their code: one directory of an image. */
export interface Bundle {
  /** From `dist`. */
  directory: string
  /** Name of the program → its first file, from the root of the repository. */
  entries: Record<string, string>
  copies?: readonly Copy[]
}

/** What goes into an image below `/opt/berth`. */
export interface Contents {
  image: 'backend' | 'runner'
  bundles: readonly Bundle[]
}

/**
 * Everything that images run. A program that a sandbox shows alone has a directory of its own, so that it shares no
 * chunk with another one.
 */
export const contents: readonly Contents[] = [
  {
    image: 'backend',
    bundles: [
      {
        directory: 'backend',
        entries: { main: 'apps/backend/src/main.ts', worker: 'apps/backend/src/store/sqlite/worker.ts' },
        copies: [
          { from: 'packages/scripted-model/scenarios', to: 'scenarios' },
          { from: 'packages/scripted-model/sample-repo', to: 'sample-repo' },
          { from: 'node_modules/@fastify/swagger-ui/static', to: 'swagger-ui' },
        ],
      },
    ],
  },
  {
    image: 'runner',
    bundles: [
      { directory: 'runner/runner', entries: { main: 'apps/runner/src/main.ts' } },
      {
        directory: 'runner/launcher',
        entries: {
          launcher: 'packages/sandbox/src/container/launcher-main.ts',
          'copy-tools': 'packages/sandbox/src/container/copy-tools-main.ts',
        },
      },
      {
        directory: 'runner/bin',
        entries: { main: 'apps/runner/src/git/remote-helper/main.ts' },
        copies: [{ from: 'apps/runner/src/git/remote-helper/git-remote-berth', to: 'git-remote-berth' }],
      },
      { directory: 'runner/home', entries: { main: 'apps/runner/src/home/main.ts' } },
      { directory: 'runner/files', entries: { main: 'apps/runner/src/operations/inside/main.ts' } },
    ],
  },
]
