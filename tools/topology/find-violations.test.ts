import { expect, test } from 'vitest'
import { findViolations } from './find-violations.ts'
import { readImports } from './read-imports.ts'
import type { Workspace } from './workspaces.ts'

const workspace = (directory: string, dependencies: string[]): Workspace => ({
  name: `@berth/${directory.split('/')[1]}`,
  directory,
  isApp: directory.startsWith('apps/'),
  dependencies: new Set(dependencies),
  devDependencies: new Set(['@berth/testing']),
})

const around = {
  workspaces: [
    workspace('packages/contract', ['zod']),
    workspace('packages/client', ['@berth/contract', '@berth/backend']),
    workspace('packages/testing', []),
    workspace('packages/runtime-local', []),
    workspace('apps/backend', ['@berth/runtime-local', 'fastify']),
    workspace('apps/runner', ['@berth/sandbox']),
  ],
  tools: new Set(['vitest']),
}

test.each([
  ['packages/contract/src/a.ts', `import { z } from 'zod'`, undefined],
  ['packages/contract/src/a.ts', `export { b } from './b.ts'`, undefined],
  ['packages/contract/src/a.ts', `import '../../client/src/b.ts'`, 'leaves @berth/contract'],
  ['packages/contract/src/a.ts', `type A = import('@berth/client').A`, 'may not import @berth/client'],
  ['packages/contract/src/a.ts', `await import('undici')`, 'undici is not declared'],
  ['packages/client/src/a.ts', `import type { A } from '@berth/contract'`, undefined],
  ['packages/client/src/a.ts', `export * from '@berth/backend'`, 'nothing imports an app'],
  ['packages/client/src/a.test.ts', `import '@berth/backend'`, 'nothing imports an app'],
  ['packages/client/src/a.ts', `import '@berth/testing'`, 'may not import @berth/testing'],
  ['packages/client/src/a.test.ts', `import '@berth/testing'`, undefined],
  ['packages/client/src/a.ts', `import 'vitest'`, 'vitest is not declared'],
  ['packages/client/src/a.test.ts', `import 'vitest'`, undefined],
  ['packages/client/src/a.ts', `import 'node:sqlite'`, 'SQLite is known to its store'],
  ['apps/backend/src/main.ts', `import '@berth/runtime-local'`, undefined],
  ['apps/backend/src/backend.ts', `import '@berth/runtime-local'`, 'adapters are named'],
  ['apps/backend/src/backend.ts', `import './store/sqlite/sqlite-store.ts'`, 'stores are named'],
  ['apps/backend/src/backend.ts', `import fastify from 'fastify'`, 'HTTP framework'],
  ['apps/backend/src/http/a.ts', `import fastify from 'fastify'`, undefined],
  ['apps/runner/src/main.ts', `import { createNoSandbox } from '@berth/sandbox'`, undefined],
  ['apps/runner/src/a.ts', `import { createNoSandbox as a } from '@berth/sandbox'`, 'concrete sandboxes'],
  ['apps/runner/src/a.ts', `import { type Sandbox } from '@berth/sandbox'`, undefined],
])('%s: %s', (file, text, problem) => {
  const found = readImports(file, text).flatMap((one) => findViolations(file, one, around))
  if (problem === undefined) expect(found).toEqual([])
  else expect(found.join('\n')).toContain(problem)
})
