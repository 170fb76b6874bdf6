import type { FileEntry } from '@berth/contract'
import { expect, test } from 'vitest'
import { plain } from '../terminal/style.ts'
import { renderFiles } from './file-list.ts'

const file: FileEntry = {
  name: 'a.txt',
  kind: 'file',
  size: 2048,
  mode: 0o754,
  modifiedAt: '2030-01-02T03:04:05.678Z',
}

test('shows mode, size, time and name', () => {
  const text = renderFiles(
    [
      file,
      { ...file, name: 'dir', kind: 'directory', mode: 0o755, modifiedAt: undefined },
      { ...file, name: 'link', kind: 'link', mode: 0o777, target: '../x' },
      { ...file, name: 'pipe', kind: 'other', mode: 0o600 },
    ],
    { width: 100, style: plain },
  )
  expect(text.split('\n').map((line) => line.replace(/\s+/g, ' '))).toEqual([
    'MODE SIZE CHANGED NAME',
    '-rwxr-xr-- 2.0 KB 2030-01-02 03:04 a.txt',
    'drwxr-xr-x dir/',
    'lrwxrwxrwx 2030-01-02 03:04 link -> ../x',
    '?rw------- 2030-01-02 03:04 pipe',
  ])
})

test('lets no name drive the terminal', () => {
  const text = renderFiles([{ ...file, name: 'a\u001b[31m\nb', kind: 'link', target: '\u202ex\r' }], {
    width: 100,
    style: plain,
  })
  expect(text.split('\n')).toHaveLength(2)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/)
})
