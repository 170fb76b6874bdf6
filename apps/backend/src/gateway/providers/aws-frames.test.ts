import fc from 'fast-check'
import { expect, it } from 'vitest'
import { frames } from './aws-frames.ts'
import { chunkFrame, exceptionFrame } from './fakes/fake-bedrock.ts'

async function* pieces(bytes: Buffer, sizes: number[]): AsyncGenerator<Uint8Array> {
  let at = 0
  for (const size of sizes) {
    yield bytes.subarray(at, at + size)
    at += size
  }
  if (at < bytes.length) yield bytes.subarray(at)
}

const read = async (bytes: Buffer, sizes: number[] = []) => {
  const found: unknown[] = []
  for await (const { headers, body } of frames(pieces(bytes, sizes)))
    found.push([headers[':message-type'], JSON.parse(Buffer.from(body).toString('utf8'))])
  return found
}

it('gives the same messages however the bytes are cut', async () => {
  const bytes = Buffer.concat([
    chunkFrame({ type: 'a', text: 'x'.repeat(300) }),
    chunkFrame({ type: 'b' }),
    exceptionFrame('modelStreamErrorException', 'ö'),
  ])
  const whole = await read(bytes)
  expect(whole.map((item) => (item as [string])[0])).toEqual(['event', 'event', 'exception'])
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 200 }), { maxLength: 30 }), async (sizes) => {
      expect(await read(bytes, sizes)).toEqual(whole)
    }),
  )
})

it('takes nothing that is changed, cut off, or of an impossible size', async () => {
  const bytes = Buffer.from(chunkFrame({ type: 'a' }))
  for (let at = 0; at < bytes.length; at += 5) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(at) ^ 0x55, at)
    await expect(read(changed)).rejects.toThrow()
  }
  await expect(read(bytes.subarray(0, -1))).rejects.toThrow('ended within a message')
  const huge = Buffer.alloc(16)
  huge.writeUInt32BE(0xffff_ffff, 0)
  await expect(read(huge)).rejects.toThrow('not possible')
  huge.writeUInt32BE(3, 0)
  await expect(read(huge)).rejects.toThrow('not possible')
})
