import assert from 'node:assert/strict'
import { inflateSync } from 'node:zlib'
import { PackError } from '../../src/git/pack/error.ts'
import { inflateAt } from '../../src/git/pack/inflate.ts'
import { inflatePieces } from '../../src/git/pack/inflate-pieces.ts'
import { PackWindow } from '../../src/git/pack/source.ts'
import { Cursor } from '../grammar/cursor.ts'
import { deflate } from '../grammar/stored-deflate.ts'
import { withinBudget } from '../oracles/allocation-meter.ts'
import { drainTicks } from '../oracles/drain-ticks.ts'
import { unlessRefused } from '../oracles/expected.ts'
import type { NamedBytes } from '../seeds/material.ts'
import type { FuzzTarget } from '../target.ts'

const SIZE_MAX = 4_096
const WINDOW_BYTES = 64
/** The result, the view it is made from, and what Node's zlib asks for to say what is wrong. */
const ALLOCATION_BYTES_MAX = 1_024 * 1_024

export const target = {
  reads: 'compressed entries of packs',
  drives: {
    'src/git/pack/inflate.ts': ['inflateAt'],
    'src/git/pack/inflate-pieces.ts': ['inflatePieces'],
    'src/git/pack/inflate-stream.ts': ['inflateInto', 'run', 'step', 'begin'],
    'src/git/pack/inflate-errors.ts': ['inflateFailed', 'sizeMismatch', 'streamBytesMax'],
    'src/git/pack/source.ts': ['view'],
  },
  inputBytesMax: 1_024,
  words: ['\x78\x01\x01', '\x78\x9c', '\0\0\xff\xff', '\x03\0\0\0\0\x01', '\x78\x01\x01\0\0\xff\xff\0\0\0\x01'],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    'next-entry-too-late': {
      why: 'what follows a stream is taken for a part of it, and the next entry is looked for in its middle',
      file: 'src/git/pack/inflate-stream.ts',
      from: 'return input.length - this.#zlib.inputLeft',
      to: 'return input.length - Math.min(5, this.#zlib.inputLeft)',
    },
  },
  seeds: ({ files }) => Object.fromEntries(files.flatMap(seedsOf)),
} satisfies FuzzTarget

/**
 * The first byte says whether the rest is a stream or bytes that become one (bit 0) that is stored or deflated (bit 1); two
 * bytes say of what size its entry declares it, which for bytes that become a stream is added to what they have.
 *
 * Oracle: refused with a PackError, within the budget of memory, where Node's own zlib makes nothing or another number of
 * bytes, else those bytes and as many read, whole and in pieces.
 */
export function fuzz(data: Buffer): void {
  if (data.length === 0) return
  const input = new Cursor(data)
  const mode = input.byte()
  const said = ((input.byte() << 8) | input.byte()) % SIZE_MAX
  const rest = input.rest()
  const isStream = (mode & 1) === 0
  const stream = isStream ? rest : deflate(rest, (mode & 2) !== 0)
  const size = isStream ? said : (rest.length + said) % SIZE_MAX
  const expected = inflateByNode(stream, size)
  const inflated = unlessRefused([PackError], () =>
    withinBudget(ALLOCATION_BYTES_MAX, () => inflateAt(windowOf(stream), 0, size, 0)),
  )
  assert.equal(inflated === undefined, expected === undefined)
  const pieces: Buffer[] = []
  const inPieces = unlessRefused([PackError], () =>
    inflatePieces(windowOf(stream), 0, size, 0, (piece) => pieces.push(Buffer.from(piece))),
  )
  assert.equal(inPieces === undefined, expected === undefined)
  drainTicks()
  checkShortened(stream, size, expected)
  if (inflated === undefined || inPieces === undefined || expected === undefined) return
  for (const bytes of [inflated.data, Buffer.concat(pieces)]) assert(bytes.equals(expected.bytes))
  for (const { consumedBytes } of [inflated, inPieces]) assert.equal(consumedBytes, expected.consumedBytes)
}

/** A file that became shorter than it was: its last byte is gone. */
function checkShortened(stream: Buffer, size: number, expected: ByNode | undefined): void {
  if (expected === undefined || expected.consumedBytes < stream.length) return
  assert.throws(() => inflateAt(windowOf(stream.subarray(0, -1), stream.length), 0, size, 0), PackError)
}

/** Smaller than most streams. */
function windowOf(bytes: Buffer, saidBytes = bytes.length): PackWindow {
  const source = { bytes: saidBytes, read: (to: Buffer, position: number) => bytes.copy(to, 0, position) }
  return new PackWindow(source, saidBytes, WINDOW_BYTES)
}

interface ByNode {
  readonly bytes: Buffer
  readonly consumedBytes: number
}

function inflateByNode(stream: Buffer, size: number): ByNode | undefined {
  try {
    const { buffer, engine } = inflateSync(stream, { info: true, maxOutputLength: SIZE_MAX }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    return buffer.length === size ? { bytes: buffer, consumedBytes: engine.bytesWritten } : undefined
  } catch {
    return undefined
  }
}

/** As it is, damaged, of another size, and as bytes that become a stream. */
function seedsOf({ name, bytes }: NamedBytes): [string, Buffer][] {
  const of = (mode: number, size: number, rest: Buffer): Buffer =>
    Buffer.concat([Buffer.of(mode, size >> 8, size & 255), rest])
  const stream = deflate(bytes, true)
  const damaged = Buffer.from(stream)
  damaged.writeUInt8(damaged.readUInt8(stream.length - 1) ^ 1, stream.length - 1)
  return [
    [name, of(0, bytes.length, stream)],
    [`${name}, stored`, of(0, bytes.length, deflate(bytes, false))],
    [`${name}, with more behind it`, of(0, bytes.length, Buffer.concat([stream, Buffer.from('more')]))],
    [`${name}, damaged`, of(0, bytes.length, damaged)],
    [`${name}, cut off`, of(0, bytes.length, stream.subarray(0, -5))],
    [`${name}, declared larger`, of(0, bytes.length + 1, stream)],
    [`${name}, declared smaller`, of(0, bytes.length - 1, stream)],
    [`${name}, to be deflated`, of(3, 0, bytes)],
  ]
}
