import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { referencePages } from './pages.ts'

it.each(Object.entries(referencePages()))('docs/reference/%s is current', async (name, text) => {
  const file = new URL(`../../docs/reference/${name}`, import.meta.url)
  expect(await readFile(file, 'utf8'), 'run `npm run docs`').toBe(text)
})
