import type { Route } from '@berth/contract'
import { callRoute, type LooseInput } from './call.ts'
import type { Transport } from './transport.ts'

/** The items of a list with keyset cursors, page by page as they are taken. */
export async function* listAll(
  transport: Transport,
  row: Route,
  input: LooseInput,
): AsyncGenerator<unknown, void, undefined> {
  let cursor: string | undefined
  do {
    const query = { ...input.query, ...(cursor === undefined ? {} : { cursor }) }
    const page = (await callRoute(transport, row, { ...input, query })) as { items: unknown[]; next?: string }
    yield* page.items
    cursor = page.next
  } while (cursor !== undefined)
}
