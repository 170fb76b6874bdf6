import { Transform, type TransformCallback } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { Hider, Opening, Pending } from './hider.ts'

/** Passes text on without the values of secrets, also where one lies across two chunks. */
export class HideStream extends Transform {
  readonly #hider: Hider
  readonly #decoder: StringDecoder
  readonly #encoding: 'utf8' | 'latin1'
  #pending: Pending = { raw: '', covered: 0 }
  /** Something was hidden so far. */
  changed = false

  /** `latin1`: bytes that need not be text pass as they are. */
  constructor(hider: Hider, encoding: 'utf8' | 'latin1' = 'utf8') {
    super()
    this.#hider = hider
    this.#encoding = encoding
    this.#decoder = new StringDecoder(encoding)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const raw = this.#pending.raw + this.#decoder.write(chunk)
    const { text, open, covered } = this.#hider.part({ raw, covered: this.#pending.covered })
    const rest = endOf(raw, open)
    this.changed ||= covered > 0 || text !== raw.slice(0, raw.length - rest.length)
    this.#pending = { raw: rest, covered }
    done(null, Buffer.from(text, this.#encoding))
  }

  override _flush(done: TransformCallback): void {
    const { raw, covered } = this.#pending
    const all = raw + this.#decoder.end()
    const text = this.#hider.last({ raw: all, covered })
    this.changed ||= text !== all
    done(null, Buffer.from(text, this.#encoding))
  }
}

const endOf = (raw: string, open: Opening | undefined): string =>
  open === undefined ? '' : raw.slice(raw.length - open.units)
