import { AssertionError } from 'node:assert'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { EntryTable } from './entry-table.ts'
import { OidMap } from './oid-map.ts'
import { OidTable } from './oid-table.ts'

const name = (number: number): Buffer => createHash('sha1').update(String(number)).digest()

describe('OidMap', () => {
  it('finds what was set, through many growths, and nothing else', () => {
    const map = new OidMap(1)
    for (let number = 0; number < 5_000; number++) map.set(Buffer.concat([Buffer.of(1), name(number)]), 1, number)
    expect(map.size).toBe(5_000)
    for (let number = 0; number < 5_000; number++) expect(map.get(name(number))).toBe(number)
    for (let number = 5_000; number < 10_000; number++) expect(map.get(name(number))).toBe(-1)
  })

  it('keeps the last value of a name', () => {
    const map = new OidMap()
    map.set(name(1), 0, 5)
    map.set(name(1), 0, 0)
    expect([map.get(name(1)), map.size]).toEqual([0, 1])
  })

  it('shows each name once', () => {
    const map = new OidMap()
    for (let number = 0; number < 3_000; number++) map.set(name(number % 1_500), 0, number)
    const seen = new Map<string, number>()
    map.forEach((bytes, at, value) => seen.set(bytes.toString('hex', at, at + 20), value))
    expect(seen.size).toBe(1_500)
    expect(seen.get(name(7).toString('hex'))).toBe(1_507)
  })

  it('keeps apart names that differ in one bit, wherever it is', () => {
    const map = new OidMap()
    const names = Array.from({ length: 160 }, (_, bit) => {
      const one = Buffer.alloc(20)
      one[bit >> 3] = 1 << (bit & 7)
      return one
    })
    for (const [number, one] of names.entries()) map.set(one, 0, number)
    expect(names.map((one) => map.get(one))).toEqual(Array.from(names.keys()))
    expect(map.get(Buffer.alloc(20))).toBe(-1)
  })

  it('refuses a value that means "not here"', () => {
    expect(() => new OidMap().set(name(1), 0, -1)).toThrow(AssertionError)
  })
})

describe('OidTable', () => {
  it('numbers names as they come, each once, through many growths', () => {
    const table = new OidTable(1)
    const names = Array.from({ length: 60_000 }, (_, number) => name(number))
    const numbers = [...names, ...names].map((one) => table.add(Buffer.concat([Buffer.of(1), one]), 1))
    expect(numbers).toEqual([...names.keys(), ...names.keys()])
    expect(table.count).toBe(60_000)
    expect(names.map((one) => table.find(one))).toEqual([...names.keys()])
    expect(table.oids.subarray(0, 1_200_000).equals(Buffer.concat(names))).toBe(true)
    for (let number = 60_000; number < 63_000; number++) expect(table.find(name(number))).toBe(-1)
  })
})

describe('EntryTable', () => {
  it('knows names that no entry has', () => {
    const table = new EntryTable()
    for (let number = 0; number < 2_000; number++) expect(table.nameTable.add(name(number))).toBe(number)
    const entry = table.add(12, 3, 1, 1)
    expect([table.find(name(1_999)), table.ofName(1_999), table.names[entry]]).toEqual([-1, -1, -1])
    expect(table.name(entry, 3, name(1_999))).toBe(1_999)
    expect([table.find(name(1_999)), table.ofName(1_999), table.find(name(1_998)), table.named]).toEqual([
      entry,
      entry,
      -1,
      1,
    ])
  })

  it('keeps what it knows of each entry while it grows', () => {
    const table = new EntryTable()
    for (let number = 0; number < 3_000; number++) {
      const entry = table.add(2 ** 33 + number * 10, 3, number % 28, number * 1_000)
      table.name(entry, 3, name(number))
      table.crcs[entry] = 2 ** 32 - 1 - number
    }
    expect(table.count).toBe(3_000)
    for (const number of [0, 1_023, 1_024, 2_047, 2_048, 2_999]) {
      expect(table.entryAt(2 ** 33 + number * 10)).toBe(number)
      expect(table.sizes[number]).toBe(number * 1_000)
      expect(table.headerBytes[number]).toBe(number % 28)
      expect(table.crcs[number]).toBe(2 ** 32 - 1 - number)
      expect(table.oids.subarray(number * 20, number * 20 + 20).equals(name(number))).toBe(true)
      expect([table.find(name(number)), table.types[number]]).toEqual([number, 3])
    }
  })

  it('finds an entry by where it begins, and by no place inside it', () => {
    const table = new EntryTable()
    for (const offset of [12, 40, 41, 900]) table.add(offset, 3, 1, 1)
    expect([12, 40, 41, 900].map((offset) => table.entryAt(offset))).toEqual([0, 1, 2, 3])
    expect([0, 11, 13, 42, 899, 901].map((offset) => table.entryAt(offset))).toEqual(Array(6).fill(-1))
    expect(new EntryTable().entryAt(0)).toBe(-1)
  })

  it('lists the deltas on an entry, and those of no other', () => {
    const table = new EntryTable()
    for (let number = 0; number < 6; number++) table.add(number, 3, 1, 1)
    for (const [base, child] of [
      [0, 2],
      [1, 3],
      [0, 4],
      [4, 5],
    ] as const)
      table.addChild(base, child)
    const children = (base: number): number[] => {
      const found: number[] = []
      for (let child = table.firstChild[base] ?? -1; child >= 0; child = table.nextSibling[child] ?? -1)
        found.push(child)
      return found.sort()
    }
    expect([0, 1, 2, 4].map(children)).toEqual([[2, 4], [3], [], [5]])
  })
})
