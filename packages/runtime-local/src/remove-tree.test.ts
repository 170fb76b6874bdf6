import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeTree } from './remove-tree.ts'

test('goes with directories without rights, paths over the limit and links that lead out', async () => {
  const root = mkdtempSync(join(tmpdir(), 'berth-remove-'))
  const tree = join(root, '-tree')
  const outside = join(root, 'outside')
  mkdirSync(join(tree, 'closed', 'inner'), { recursive: true })
  writeFileSync(join(tree, 'closed', 'inner', 'file'), '')
  writeFileSync(outside, 'stays')
  symlinkSync(outside, join(tree, 'link'))
  symlinkSync(root, join(tree, 'up'))
  const chain = Array.from({ length: 30 }, () => 'd'.repeat(100)).join('/')
  mkdirSync(join(tree, chain), { recursive: true })
  mkdirSync(join(root, 'more', chain), { recursive: true })
  renameSync(join(root, 'more'), join(tree, chain, 'more'))
  chmodSync(join(tree, 'closed', 'inner'), 0)
  chmodSync(join(tree, 'closed'), 0)
  await removeTree(tree)
  expect(existsSync(tree)).toBe(false)
  expect(existsSync(outside)).toBe(true)
  await removeTree(tree)
  await rm(root, { recursive: true })
})
