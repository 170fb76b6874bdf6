import { relative } from 'node:path'
import type { Plugin } from 'rolldown'
import { root } from '../house/tracked-files.ts'

/**
 * Files that look for others beside themselves, and what they say in a bundle instead; an empty row is right as it is.
 * All files of a bundle lie in one directory.
 */
const places: Record<string, Record<string, string>> = {
  'apps/backend/src/main.ts': {
    "new URL('../../runner/src/main.ts', import.meta.url)":
      "new URL('../runner/runner/main.js', import.meta.url)",
  },
  // Its extension is that of the file that it is in.
  'apps/backend/src/store/sqlite/writer.ts': {},
  'apps/runner/src/agent/sandboxed-claude.ts': {
    "new URL('../git/remote-helper/', import.meta.url)": "new URL('../bin/', import.meta.url)",
  },
  'apps/runner/src/operations/box.ts': {
    "new URL('./inside/main.ts', import.meta.url)": "new URL('../files/main.js', import.meta.url)",
  },
  'apps/runner/src/home/boxed-home.ts': {
    "new URL('./main.ts', import.meta.url)": "new URL('../home/main.js', import.meta.url)",
  },
  // One directory below what it copies.
  'packages/sandbox/src/container/copy-tools-main.ts': {},
  // The Agent SDK stays a package.
  'packages/agent/src/executable.ts': {},
  'packages/scripted-model/src/load-scenarios.ts': {
    "new URL('../scenarios/', import.meta.url)": "new URL('./scenarios/', import.meta.url)",
    "new URL('../sample-repo/', import.meta.url)": "new URL('./sample-repo/', import.meta.url)",
  },
  'node_modules/@fastify/swagger-ui/lib/routes.js': {
    "path.join(__dirname, '..', 'static')": "path.join(__dirname, 'swagger-ui')",
  },
}

/** Makes files that look for others find them from a bundle, and refuses those of ours that nobody thought of. */
export const rightPlaces = (): Plugin => ({
  name: 'right-places',
  transform(code, id) {
    const file = relative(root, id)
    const row = Object.hasOwn(places, file) ? places[file] : undefined
    if (row === undefined) {
      if (/^(apps|packages)\//.test(file) && /\bimport\.meta\./.test(code))
        throw new Error(
          `${file} looks for something by import.meta, which means another place in a bundle. Add it to tools/build/places.ts.`,
        )
      return undefined
    }
    let changed = code
    for (const [from, to] of Object.entries(row)) {
      if (!changed.includes(from))
        throw new Error(`${file} says no longer ${from}. Repair its row in tools/build/places.ts.`)
      changed = changed.replaceAll(from, to)
    }
    return { code: changed }
  },
})
