import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isFanout, SortedNames, writeFanout } from './sorted-names.ts'

const FANOUT_AT = 4
const NAMES_AT = FANOUT_AT + 1_024 + 4

/** As files hold them, with other bytes before, between and behind. */
function fileOf(hexNames: readonly string[]): Buffer {
  const names = Buffer.from(hexNames.toSorted().join(''), 'hex')
  const bytes = Buffer.alloc(NAMES_AT + names.length + 8, 0xff)
  names.copy(bytes, NAMES_AT)
  writeFanout(bytes, FANOUT_AT, names, hexNames.length)
  return bytes
}

const sorted = (hexNames: readonly string[]): SortedNames => new SortedNames(fileOf(hexNames), FANOUT_AT, NAMES_AT)
const nameOf = (first: number, more: number, last = 0): string => {
  const name = Buffer.alloc(20)
  name[0] = first
  name.writeUInt32BE(more, 1)
  name[19] = last
  return name.toString('hex')
}

/** @returns how many names are looked at until the one of that rank is found */
function looksFor(bytes: Buffer, rank: number): number {
  const looked = new Set<number>()
  const watched = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && Number(key) >= NAMES_AT) looked.add(Math.floor((Number(key) - NAMES_AT) / 20))
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const at = NAMES_AT + rank * 20
  expect(new SortedNames(watched, FANOUT_AT, NAMES_AT).rankOf(bytes.subarray(at, at + 20))).toBe(rank)
  // What is read by a method of the buffer would not be seen here.
  expect(looked).toContain(rank)
  return looked.size
}

const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at)

describe('SortedNames', () => {
  const lists = [
    { name: 'no names', names: [] },
    { name: 'one name of zeros', names: [nameOf(0, 0)] },
    { name: 'one name of the highest bytes', names: ['ff'.repeat(20)] },
    { name: 'one name for each first byte', names: range(256).map((first) => nameOf(first, first * 7)) },
    {
      name: 'many names that are spread',
      names: range(2_000).map((at) => nameOf((at * 37) % 256, (at * 2_654_435_761) >>> 0)),
    },
    { name: 'names that begin alike', names: range(100).map((last) => nameOf(9, 1_000, last)) },
    // Made for bad guesses: each lies just behind the one before, and the last far away.
    {
      name: 'names that are crowded at one end',
      names: [...range(200).map((at) => nameOf(9, at * 256)), nameOf(9, 0xffff_ffff)],
    },
    { name: 'names that come twice as near each time', names: range(32).map((at) => nameOf(9, 2 ** at)) },
  ]

  it.each(lists)('finds each of $name where it is, and no other', ({ names }) => {
    const read = sorted(names)
    const inOrder = names.toSorted()
    expect(read.count).toBe(names.length)
    for (const [rank, name] of inOrder.entries()) {
      const behind = Buffer.concat([Buffer.alloc(3), Buffer.from(name, 'hex')])
      expect(read.rankOf(Buffer.from(name, 'hex'))).toBe(rank)
      expect(read.rankOf(behind, 3)).toBe(rank)
      expect(read.at(rank).toString('hex')).toBe(name)
      expect(read.hexAt(rank)).toBe(name)
      const target = Buffer.alloc(24)
      read.copy(rank, target, 2)
      expect(target.toString('hex')).toBe(`0000${name}0000`)
    }
    const known = new Set(names)
    for (const name of inOrder) {
      for (const by of [1n, -1n, 1n << 128n, -(1n << 128n)]) {
        const near = BigInt(`0x${name}`) + by
        if (near < 0n || near >= 1n << 160n) continue
        const other = near.toString(16).padStart(40, '0')
        if (!known.has(other)) expect(read.rankOf(Buffer.from(other, 'hex'))).toBe(-1)
      }
    }
  })

  it('looks at few of many names, whatever they are', () => {
    const count = 2 ** 14
    const bytes = Buffer.alloc(NAMES_AT + count * 20)
    // All but the last two crowd at the beginning of their first byte, so that each guess is a bad one.
    for (let rank = 0; rank < count; rank++)
      bytes.writeUIntBE(rank < count - 2 ? rank : 2 ** 40 + rank, NAMES_AT + rank * 20 + 1, 6)
    writeFanout(bytes, FANOUT_AT, bytes.subarray(NAMES_AT), count)
    // 8 guesses, then 14 halves.
    expect(looksFor(bytes, 11_001)).toBeLessThanOrEqual(23)
  })

  it('looks at a few of many names that are hashes', () => {
    // Four first bytes, and 4,096 names behind each: by halves it would be 11 looks.
    const hash = (at: number): string => createHash('sha1').update(String(at)).digest('hex')
    const bytes = fileOf(range(2 ** 14).map((at) => `0${4 + (at % 4)}${hash(at).slice(2)}`))
    const ranks = range(64).map((at) => at * 256 + 3)
    const looks = ranks.reduce((sum, rank) => sum + looksFor(bytes, rank), 0)
    expect(looks / ranks.length).toBeLessThan(4)
  })

  it('stays within its list where the names are in no order', () => {
    const bytes = fileOf(range(50).map((at) => nameOf(9, at * 1_000_000)))
    bytes.subarray(NAMES_AT + 20 * 10, NAMES_AT + 20 * 40).fill(0x77)
    const read = new SortedNames(bytes, FANOUT_AT, NAMES_AT)
    for (const more of range(60)) {
      const rank = read.rankOf(Buffer.from(nameOf(9, more * 900_000), 'hex'))
      expect(rank).toBeGreaterThanOrEqual(-1)
      expect(rank).toBeLessThan(50)
    }
  })
})

describe('isFanout', () => {
  it('is what never falls', () => {
    const bytes = fileOf(range(256).map((first) => nameOf(first, 1)))
    expect(isFanout(bytes, FANOUT_AT)).toBe(true)
    expect(isFanout(fileOf([]), FANOUT_AT)).toBe(true)
  })

  it.each([1, 128, 255])('falls at %i', (byte) => {
    const bytes = fileOf(range(256).map((first) => nameOf(first, 1)))
    bytes.writeUInt32BE(byte - 1, FANOUT_AT + byte * 4)
    expect(isFanout(bytes, FANOUT_AT)).toBe(false)
  })
})
