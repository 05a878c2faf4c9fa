import { createHash, hash } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { EntryTable } from './entry-table.ts'
import { hashOf, nameObject } from './name-object.ts'
import { NO_HOOKS } from './testing.ts'

vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>()
  return { ...crypto, hash: vi.fn(crypto.hash), createHash: vi.fn(crypto.createHash) }
})
afterEach(() => void vi.clearAllMocks())

function nameOf(type: number, data: Buffer): string {
  const entries = new EntryTable(1)
  const entry = entries.add(12, type, 1, data.length)
  let name = ''
  nameObject(entries, entry, type, data, {
    ...NO_HOOKS,
    onObject: (told, bytes, oids, oidAt) => {
      expect([told, bytes]).toEqual([type, data])
      name = oids.toString('hex', oidAt, oidAt + 20)
    },
  })
  expect(entries.types[entry]).toBe(type)
  return name
}

describe('an object is named by the hash of its type, size and bytes', () => {
  it.each([
    { name: 'nothing', type: 3, bytes: 0, calls: 1 },
    { name: 'a small tag', type: 4, bytes: 100, calls: 1 },
    { name: 'the largest that is hashed in one call', type: 3, bytes: 16_384, calls: 1 },
    { name: 'one byte more', type: 2, bytes: 16_385, calls: 0 },
    { name: 'a large commit', type: 1, bytes: 1_000_000, calls: 0 },
  ])('$name', ({ type, bytes, calls }) => {
    const data = Buffer.alloc(bytes, '\0é')
    const named = nameOf(type, data)
    expect(vi.mocked(hash)).toHaveBeenCalledTimes(calls)
    expect(vi.mocked(createHash)).toHaveBeenCalledTimes(1 - calls)
    const typeName = ['commit', 'tree', 'blob', 'tag'][type - 1]
    expect(named).toBe(createHash('sha1').update(`${typeName} ${bytes}\0`).update(data).digest('hex'))
  })

  it('and a large one may be given in pieces', () => {
    const oid = hashOf(3, 4).update('te').update('xt').digest('hex')
    expect(oid).toBe(nameOf(3, Buffer.from('text')))
  })
})
