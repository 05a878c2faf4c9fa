import { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestData, type TestData } from '../testing.ts'
import { FRESH_MS, type RememberedStatement } from './remembered.ts'

let data: TestData
let statement: RememberedStatement
let reads: number

beforeEach(async () => {
  reads = 0
  data = await openTestData({
    observe: (operation, fn) => {
      if (operation === 'database_read') reads++
      return fn()
    },
  })
  statement = data.database.reader.remember('SELECT value FROM settings WHERE key = ?')
  await set('a', '1')
  reads = 0
})
afterEach(() => data[Symbol.asyncDispose]())

const SET = 'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'

async function set(key: string, value: string): Promise<void> {
  await data.database.write([{ sql: SET, parameters: [key, value] }])
}

function setByAnother(key: string, value: string): void {
  const other = new DatabaseSync(data.paths.database)
  other.prepare(SET).run(key, value)
  other.close()
}

describe('a statement that remembers', () => {
  it('reads once what does not change', async () => {
    const beganAtMs = performance.now()
    while (performance.now() < beganAtMs + 5 * FRESH_MS) {
      expect(statement.get('a')).toEqual({ value: '1' })
      await turn()
    }
    expect(reads).toBe(1)
  })

  it('sees what was written here as soon as the write is done', async () => {
    expect(statement.get('a')).toEqual({ value: '1' })
    const seen: unknown[] = []
    void set('a', '2').then(() => seen.push(statement.get('a')))
    // It is asked all the time, so that what is known is fresh when the write is done.
    while (seen.length === 0) {
      statement.get('a')
      await turn()
    }
    expect(seen).toEqual([{ value: '2' }])
  })

  it('sees a moment later what another process wrote', async () => {
    expect(statement.get('a')).toEqual({ value: '1' })
    setByAnother('a', '2')
    const writtenAtMs = performance.now()
    while (performance.now() < writtenAtMs + FRESH_MS) await turn()
    expect(statement.get('a')).toEqual({ value: '2' })
  })

  it('does not remember that something is not there', async () => {
    expect(statement.get('b')).toBeUndefined()
    setByAnother('b', '1')
    expect(statement.get('b')).toEqual({ value: '1' })
  })

  it('tells parameters apart', () => {
    const pair = data.database.reader.remember('SELECT ? AS one, ? AS other')
    expect(pair.get('a', 'b"')).toEqual({ one: 'a', other: 'b"' })
    expect(pair.get('a","b', '')).toEqual({ one: 'a","b', other: '' })
    expect(pair.get(null, 1)).toEqual({ one: null, other: 1 })
  })

  it('lets nobody change what others get', () => {
    expect(() => Object.assign(statement.get('a') ?? {}, { value: '3' })).toThrow(TypeError)
  })
})
