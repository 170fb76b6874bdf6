/**
 * Who may import whom, by workspace. Tests beside the code may import any package on top of that, but no app.
 * A workspace without a row fails, and so does a row without a workspace.
 */
export const mayImport: Record<string, readonly string[]> = {
  '@berth/contract': [],
  '@berth/client': ['@berth/contract'],
  '@berth/agent': ['@berth/contract'],
  '@berth/sandbox': ['@berth/contract'],
  '@berth/git': ['@berth/contract', '@berth/sandbox'],
  '@berth/runtime': ['@berth/contract'],
  '@berth/runtime-local': ['@berth/contract', '@berth/runtime'],
  '@berth/runtime-kubernetes': ['@berth/contract', '@berth/runtime'],
  '@berth/scripted-model': [],
  '@berth/testing': ['@berth/contract', '@berth/runtime'],
  '@berth/cli': ['@berth/contract', '@berth/client'],
  '@berth/backend': [
    '@berth/contract',
    '@berth/git',
    '@berth/runtime',
    '@berth/runtime-local',
    '@berth/runtime-kubernetes',
    '@berth/sandbox',
    '@berth/scripted-model',
  ],
  '@berth/runner': ['@berth/contract', '@berth/client', '@berth/agent', '@berth/git', '@berth/sandbox'],
}

/** Something that only a few files may import, because everything else is written against a port. */
export interface Reserved {
  what: string
  /** Tested against a package name, or against the path of the imported file from the root. */
  target: RegExp
  /** Only these imported names are reserved; all of them when absent. */
  names?: readonly string[]
  /** The files that may, tests aside. */
  only: RegExp
}

export const reserved: readonly Reserved[] = [
  {
    what: 'adapters are named where the backend is wired',
    target: /^@berth\/(runtime-local|runtime-kubernetes|scripted-model)$/,
    only: /^apps\/backend\/src\/main\.ts$/,
  },
  {
    what: 'stores are named where the backend is wired',
    target: /^apps\/backend\/src\/store\/(sqlite|postgres)\//,
    only: /^apps\/backend\/src\/(main\.ts|store\/(sqlite|postgres)\/.*)$/,
  },
  {
    what: 'blob stores are named where the backend is wired',
    target: /^apps\/backend\/src\/blobs\/(directory|s3\/s3-blobs)\.ts$/,
    only: /^apps\/backend\/src\/main\.ts$/,
  },
  {
    what: 'the SDK of S3 is known to its blob store',
    target: /^@aws-sdk\//,
    only: /^apps\/backend\/src\/blobs\/s3\//,
  },
  {
    what: 'the HTTP framework is known to app.ts and http/',
    target: /^(@fastify\/|fastify)/,
    only: /^apps\/backend\/src\/(app\.ts|http\/.*)$/,
  },
  {
    what: 'SQLite is known to its store',
    target: /^node:sqlite$/,
    only: /^apps\/backend\/src\/store\/sqlite\//,
  },
  {
    what: 'concrete sandboxes are named where the runner and the backend are wired',
    target: /^@berth\/sandbox$/,
    names: ['createBubblewrapSandbox', 'createContainerSandbox', 'createNoSandbox'],
    only: /^apps\/(runner|backend)\/src\/main\.ts$/,
  },
  {
    what: 'the Kubernetes client is known to packages/runtime-kubernetes',
    target: /^@kubernetes\//,
    only: /^packages\/runtime-kubernetes\//,
  },
  {
    what: 'the Agent SDK is known to packages/agent',
    target: /^@anthropic-ai\//,
    only: /^packages\/agent\//,
  },
]

/**
 * Pure files: what they import, directly or through other files of their workspace, does no I/O. Their outside
 * imports at run time are limited to these packages.
 */
export const pure: readonly { files: RegExp; packages: readonly string[] }[] = [
  { files: /^packages\/contract\/src\//, packages: ['zod'] },
  { files: /^apps\/backend\/src\/session\/decide\.ts$/, packages: ['@berth/contract', 'zod'] },
]
