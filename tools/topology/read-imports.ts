import { parseSync, Visitor } from 'oxc-parser'

export interface Import {
  /** As written: `./a.ts`, `node:fs`, `@berth/contract`. */
  specifier: string
  /** Imported names; empty for `import 'x'`, namespace imports and dynamic ones. */
  names: string[]
  /** Erased before it runs. */
  isType: boolean
}

/** Everything that a file imports or re-exports, in whichever way. Throws when it doesn't parse. */
export function readImports(file: string, text: string): Import[] {
  const { program, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file} doesn't parse: ${errors[0]?.message}`)
  const imports: Import[] = []
  const add = (specifier: string, names: string[] = [], isType = false) =>
    imports.push({ specifier, names, isType })

  new Visitor({
    ImportDeclaration({ source, specifiers, importKind }) {
      const named = specifiers.filter((one) => one.type === 'ImportSpecifier')
      const isType =
        importKind === 'type' ||
        (named.length > 0 &&
          named.length === specifiers.length &&
          named.every((one) => one.importKind === 'type'))
      add(
        source.value,
        named.map(({ imported }) => nameOf(imported)),
        isType,
      )
    },
    ExportNamedDeclaration({ source, specifiers, exportKind }) {
      if (!source) return
      const isType = exportKind === 'type' || specifiers.every((one) => one.exportKind === 'type')
      add(
        source.value,
        specifiers.map(({ local }) => nameOf(local)),
        isType,
      )
    },
    ExportAllDeclaration({ source, exportKind }) {
      add(source.value, [], exportKind === 'type')
    },
    ImportExpression({ source }) {
      if (source.type === 'Literal' && typeof source.value === 'string') add(source.value)
    },
    TSImportType({ source }) {
      add(source.value, [], true)
    },
  }).visit(program)
  return imports
}

function nameOf(node: { name: string } | { value: string }): string {
  return 'name' in node ? node.name : node.value
}
