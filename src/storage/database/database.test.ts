import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestData, type TestData } from '../testing.ts'
import { ConstraintError, Database, expecting } from './database.ts'
import type { Statement } from './write.ts'

const workers: Worker[] = []
const record = (worker: Worker): void => void workers.push(worker)
process.on('worker', record)
afterAll(() => void process.off('worker', record))

let data: TestData
let database: Database

beforeEach(async () => {
  data = await openTestData()
  database = data.database
})
afterEach(() => data[Symbol.asyncDispose]())

const insert = (key: string, value = 'v'): Statement => ({
  sql: 'INSERT INTO settings (key, value) VALUES (?, ?)',
  parameters: [key, value],
  expectChanges: 1,
})
const update = (key: string, value: string): Statement => ({
  sql: 'UPDATE settings SET value = ? WHERE key = ?',
  parameters: [value, key],
  expectChanges: 1,
})

/** As another process sees it: what it sees is committed. */
function seenByOthers(): Record<string, string> {
  const other = new DatabaseSync(data.paths.database, { readOnly: true })
  const rows = other.prepare('SELECT key, value FROM settings').all() as { key: string; value: string }[]
  other.close()
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]))
}

describe('a write', () => {
  it('is there for others when it resolves', async () => {
    expect(await database.write([insert('a'), insert('b')])).toEqual({ committed: true })
    expect(seenByOthers()).toEqual({ a: 'v', b: 'v' })
  })

  it('is undone as a whole where a statement does not change what it has to, and says which', async () => {
    await database.write([insert('a')])
    const outcome = await database.write([insert('b'), update('a', 'w'), update('none', 'w'), insert('c')])
    expect(outcome).toEqual({ committed: false, failedStatement: 2 })
    expect(seenByOthers()).toEqual({ a: 'v' })
  })

  it('is undone as a whole where a rule of the schema is broken', async () => {
    await database.write([insert('a')])
    await expect(database.write([insert('b'), insert('a')])).rejects.toThrow(ConstraintError)
    await expect(
      database.write([{ sql: 'INSERT INTO users (id, admin) VALUES (?, 0)', parameters: ['nobody'] }]),
    ).rejects.toThrow(ConstraintError)
    expect(seenByOthers()).toEqual({ a: 'v' })
  })

  it('is undone where it is no SQL, and the next one is not', async () => {
    await expect(database.write([insert('a'), { sql: 'INSRT', parameters: [] }])).rejects.toMatchObject({
      detail: { code: 'database_failed' },
    })
    await expect(database.write([insert('a'), { sql: 'COMMIT', parameters: [] }])).rejects.toMatchObject({
      detail: { code: 'database_failed' },
    })
    await database.write([insert('b')])
    expect(seenByOthers()).toHaveProperty('b', 'v')
  })

  it('takes queries made with kysely', async () => {
    const query = database.read.insertInto('settings').values({ key: 'k', value: 'v' })
    expect(await database.write([expecting(1, query)])).toEqual({ committed: true })
    const change = database.read.updateTable('settings').set({ value: 'w' }).where('key', '=', 'none')
    expect(await database.write([expecting(1, change)])).toEqual({ committed: false, failedStatement: 0 })
    expect(await database.read.selectFrom('settings').selectAll().execute()).toEqual([{ key: 'k', value: 'v' }])
  })
})

describe('writes at the same time', () => {
  it('share a commit, and each has its own fate', async () => {
    const before = statSync(`${data.paths.database}-wal`).size
    const outcomes = await Promise.allSettled(
      Array.from({ length: 400 }, (_, at) => {
        if (at % 10 === 3) return database.write([insert(`x${at}`), insert('twice')])
        if (at % 10 === 7) return database.write([insert(`y${at}`), update('none', 'w')])
        return database.write([insert(`z${at}`)])
      }),
    )
    const said = outcomes.map((one) =>
      one.status === 'fulfilled' ? (one.value.committed ? 'yes' : 'no') : one.reason.name,
    )
    // The first of those that want to be the only one is.
    const expected = said.map((_, at) => (at % 10 === 3 && at !== 3 ? 'ConstraintError' : at % 10 === 7 ? 'no' : 'yes'))
    expect(said).toEqual(expected)
    const keys = Object.keys(seenByOthers())
    expect(keys.filter((key) => key.startsWith('z'))).toHaveLength(320)
    expect(keys.filter((key) => !key.startsWith('z')).sort()).toEqual(['twice', 'x3'])
    // One by one they would write a page each.
    expect(statSync(`${data.paths.database}-wal`).size - before).toBeLessThan((320 / 4) * 4_096)
  })

  it('are written or not as they are answered where the database is full', async () => {
    await database.write([{ sql: 'PRAGMA max_page_count = 60', parameters: [] }])
    const names = Array.from({ length: 40 }, (_, at) => `k${at}`)
    const value = (at: number): string => 'x'.repeat(at % 8 === 5 ? 400_000 : 10)
    const outcomes = await Promise.allSettled(names.map((name, at) => database.write([insert(name, value(at))])))
    const written = names.filter((_, at) => outcomes[at]?.status === 'fulfilled')
    expect(Object.keys(seenByOthers()).sort()).toEqual(written.sort())
    for (const one of outcomes) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ detail: { code: 'database_failed' } })
    }
    expect(outcomes[5]?.status).toBe('rejected')
    await database.write([{ sql: 'PRAGMA max_page_count = 10000', parameters: [] }])
    expect(await database.write([insert('after')])).toEqual({ committed: true })
  })
})

describe('closing', () => {
  const openFiles = (): string[] =>
    readdirSync('/proc/self/fd')
      .flatMap((name) => {
        try {
          return readlinkSync(`/proc/self/fd/${name}`)
        } catch {
          return []
        }
      })
      .filter((path) => path.startsWith(data.paths.database))

  it('finishes what was asked for before, refuses what comes after, and may be done twice', async () => {
    const writes = Array.from({ length: 20 }, (_, at) => database.write([insert(`k${at}`)]))
    const closed = database.close()
    await expect(database.write([insert('late')])).rejects.toMatchObject({ detail: { code: 'database_closed' } })
    await Promise.all([closed, database.close()])
    expect(await Promise.all(writes)).toEqual(writes.map(() => ({ committed: true })))
    expect(openFiles()).toEqual([])
    expect(Object.keys(seenByOthers())).toHaveLength(20)
  })

  it('ends every write with an error when the writer dies, lets reading go on, and leaves nothing open', async () => {
    await database.write([insert('a')])
    // Another connection's lock keeps the writer waiting.
    const other = new DatabaseSync(data.paths.database)
    other.exec('BEGIN IMMEDIATE')
    const waiting = expect(database.write([insert('b')])).rejects.toMatchObject({ detail: { code: 'database_closed' } })
    await workers.at(-1)?.terminate()
    await waiting
    other.exec('ROLLBACK')
    other.close()
    await expect(database.write([insert('c')])).rejects.toMatchObject({ detail: { code: 'database_closed' } })
    expect(await database.read.selectFrom('settings').select('key').execute()).toEqual([{ key: 'a' }])
    await database.close()
    expect(openFiles()).toEqual([])
  })
})

it('is opened again with what was in it', async () => {
  await database.write([insert('a')])
  await database.close()
  const again = await Database.open(data.paths.database)
  expect(await again.read.selectFrom('settings').select('key').execute()).toEqual([{ key: 'a' }])
  await again.close()
})

it('leaves no transaction open where reading in one fails', async () => {
  expect(() =>
    database.reader.inTransaction(() => {
      throw new Error('read')
    }),
  ).toThrow('read')
  const statement = database.reader.prepare('SELECT count(*) AS count FROM settings')
  await database.write([insert('a')])
  expect(database.reader.inTransaction(() => statement.get())).toEqual({ count: 1 })
})

it('reads one state in one transaction, whatever is written meanwhile', async () => {
  const other = new DatabaseSync(data.paths.database)
  const statement = database.reader.prepare('SELECT count(*) AS count FROM settings')
  const counts = database.reader.inTransaction(() => {
    const before = statement.get()
    other.exec(`INSERT INTO settings VALUES ('x', 'y')`)
    return [before, statement.get()]
  })
  other.close()
  expect(counts).toEqual([{ count: 0 }, { count: 0 }])
  expect(statement.get()).toEqual({ count: 1 })
})
