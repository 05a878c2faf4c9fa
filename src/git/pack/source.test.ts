import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type ByteSource, PackWindow } from './source.ts'
import { SummedSource } from './summed-source.ts'
import { memory } from './testing.ts'

/** Says what was read: where, and how much was asked for. */
function watched(bytes: Buffer): { source: ByteSource; reads: [position: number, asked: number][] } {
  const reads: [number, number][] = []
  const read = (target: Buffer, position: number): number => {
    reads.push([position, target.length])
    return bytes.copy(target, 0, position)
  }
  return { source: { bytes: bytes.length, read }, reads }
}

describe('PackWindow', () => {
  const bytes = Buffer.from(Array.from({ length: 500 }, (_, at) => at & 0xff))

  it.each([
    { name: 'a source that gives all that it is asked for', pieceBytes: 500 },
    { name: 'a source that gives a few bytes at a time', pieceBytes: 3 },
  ])('shows any place of $name', ({ pieceBytes }) => {
    const window = new PackWindow(memory(bytes, pieceBytes), 480, 32)
    for (const [position, atLeast] of [
      [0, 10],
      [5, 20],
      [479, 30],
      [100, 200],
      [90, 5],
      [0, 480],
      [31, 2],
    ] as const) {
      const seen = window.view(position, atLeast)
      expect(seen.length).toBeGreaterThanOrEqual(Math.min(atLeast, 480 - position))
      expect(seen.equals(bytes.subarray(position, position + seen.length))).toBe(true)
      expect(position + seen.length).toBeLessThanOrEqual(480)
    }
  })

  it('of a source that is still coming never shows what may be its checksum', () => {
    const reached: number[] = []
    const coming = {
      ...memory(bytes),
      bytes: Number.POSITIVE_INFINITY,
      reach(end: number) {
        reached.push(end)
        if (end > bytes.length) coming.bytes = bytes.length
      },
    }
    const window = new PackWindow(coming, undefined, 250)
    expect([window.view(0, 10).length, window.end]).toEqual([250, Number.POSITIVE_INFINITY])
    expect([window.view(220, 10).length, window.view(240, 10).length, window.end]).toEqual([
      30,
      10,
      Number.POSITIVE_INFINITY,
    ])
    expect([window.view(241, 10).length, window.end]).toEqual([239, 480])
    expect(window.view(470, 100)).toHaveLength(10)
    expect(reached).toEqual([270, 511, 740])
  })

  it('shows nothing behind the end, and less where the source became shorter', () => {
    expect(new PackWindow(memory(bytes), 480, 32).view(480, 10)).toHaveLength(0)
    expect(new PackWindow(memory(bytes), 480, 32).view(900, 10)).toHaveLength(0)
    expect(new PackWindow(memory(bytes.subarray(0, 50)), 480, 32).view(40, 30)).toHaveLength(10)
  })

  it('ends where the checksum begins, unless it is told where else', () => {
    expect(new PackWindow(memory(bytes)).end).toBe(480)
    expect(new PackWindow(memory(bytes), 100).end).toBe(100)
  })

  it('reads a window at a time, and nothing again that it holds', () => {
    const { source, reads } = watched(bytes)
    const window = new PackWindow(source, 480, 32)
    expect([window.start, window.loadedTo, window.bytes.length]).toEqual([0, 0, 0])
    for (const [position, atLeast] of [
      [100, 5],
      [100, 32],
      [127, 5],
      [131, 1],
    ] as const)
      window.view(position, atLeast)
    expect(reads).toEqual([[100, 32]])
    expect([window.start, window.loadedTo]).toEqual([100, 132])
    expect(window.bytes.equals(bytes.subarray(100, 132))).toBe(true)
    expect(window.view(131, 2)).toHaveLength(32)
    expect(window.view(99, 1)).toHaveLength(32)
    expect(window.view(470, 32)).toHaveLength(10)
    expect(reads).toEqual([
      [100, 32],
      [131, 32],
      [99, 32],
      [470, 10],
    ])
  })

  it('knows what it holds', () => {
    const window = new PackWindow(memory(bytes), 480, 32)
    window.view(100, 1)
    const asked = [
      [100, 32],
      [100, 33],
      [99, 1],
      [131, 1],
      [132, 0],
      [132, 1],
    ] as const
    expect(asked.map(([position, atLeast]) => window.holds(position, atLeast))).toEqual([
      true,
      false,
      false,
      true,
      true,
      false,
    ])
  })

  it('loads just what it is told, and nothing that it holds', () => {
    const { source, reads } = watched(bytes)
    const window = new PackWindow(source, 480, 32)
    window.load(10, 5)
    window.load(11, 4)
    window.load(470, 50)
    window.load(490, 5)
    expect(reads).toEqual([
      [10, 5],
      [470, 10],
    ])
    expect(window.bytes).toHaveLength(0)
    window.load(0, 100)
    expect(window.bytes.equals(bytes.subarray(0, 100))).toBe(true)
  })

  it('reads into the same memory again, but for what is very large', () => {
    const large = Buffer.alloc(2_000, 'large')
    const window = new PackWindow(memory(large), 2_000, 32)
    const roomOf = (atLeast: number, position: number): ArrayBufferLike => window.view(position, atLeast).buffer
    const room = roomOf(1, 0)
    expect(roomOf(32, 100)).toBe(room)
    const larger = roomOf(16 * 32, 200)
    expect(larger).not.toBe(room)
    expect(larger.byteLength).toBe(16 * 32)
    expect(roomOf(1, 1_000)).toBe(larger)
    const huge = roomOf(16 * 32 + 1, 0)
    expect(huge.byteLength).toBe(16 * 32 + 1)
    expect(roomOf(1, 1_500)).toBe(larger)
  })

  it('takes no more memory for a short source than that has', () => {
    expect(new PackWindow(memory(bytes), 480, 2 ** 20).view(0, 1).buffer.byteLength).toBe(480)
  })
})

describe('SummedSource', () => {
  const bytes = Buffer.from(Array.from({ length: 3_000 }, (_, at) => at % 251))
  const sumOf = (end: number): Buffer => createHash('sha1').update(bytes.subarray(0, end)).digest()

  it('hashes each byte once, in whatever pieces it came by', () => {
    const summed = new SummedSource(memory(bytes))
    expect(summed.bytes).toBe(3_000)
    for (const [position, length] of [
      [0, 10],
      [0, 10],
      [5, 10],
      [15, 100],
      [20, 3],
      // Too far: it is hashed when the bytes before have come by.
      [500, 10],
      [100, 50],
    ] as const) {
      const target = Buffer.alloc(length)
      expect(summed.read(target, position)).toBe(length)
      expect(target.equals(bytes.subarray(position, position + length))).toBe(true)
    }
    expect(summed.sumUpTo(2_980).equals(sumOf(2_980))).toBe(true)
  })

  it('reads what nobody read, and no byte behind the end', () => {
    const { source, reads } = watched(bytes)
    expect(new SummedSource(source).sumUpTo(1_000).equals(sumOf(1_000))).toBe(true)
    expect(reads).toEqual([[0, 1_000]])
    expect(new SummedSource(memory(bytes, 7)).sumUpTo(2_999).equals(sumOf(2_999))).toBe(true)
    expect(new SummedSource(memory(bytes)).sumUpTo(0).equals(sumOf(0))).toBe(true)
  })

  it('waits for what is still to come where its source does', () => {
    const reached: number[] = []
    new SummedSource({ ...memory(bytes), reach: (end) => reached.push(end) }).reach(77)
    new SummedSource(memory(bytes)).reach(77)
    expect(reached).toEqual([77])
  })
})
