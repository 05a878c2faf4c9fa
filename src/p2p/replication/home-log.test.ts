import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Lease } from '../../storage/lease.ts'
import {
  type ChainEnd,
  encodeEntry,
  hashEntry,
  NO_HASH,
  type SignedEntry,
  signerOf,
} from '../../storage/repositories/ref-log.ts'
import { RefTips } from '../../storage/repositories/ref-tips.ts'
import { StagedEntries } from '../../storage/repositories/staged-entries.ts'
import { openTestData, type TestData } from '../../storage/testing.ts'
import { type HomeLogParts, readHomeLog } from './home-log.ts'
import { MIRROR_LIMITS, type MirrorLimits } from './mirror-limits.ts'

const SEED = new Uint8Array(32).fill(7)
const peer = peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', SEED)).toString()
const HOME_ID = '01930000-0000-7000-8000-000000000001'
const START: ChainEnd = { sequence: 0, hash: NO_HASH }
const repository = { id: 'here', owner: 'alice', name: 'app' }
const OIDS = ['a', 'b', 'c', 'd', 'e', 'f'].map((digit) => digit.repeat(40))

interface Told {
  readonly signed: SignedEntry
  readonly end: ChainEnd
}

/** A log that sets one ref to one object after the other. @param before what it has in common with another one */
function logOf(oids: readonly (string | undefined)[], before: readonly Told[] = []): Told[] {
  const log = [...before]
  for (const newOid of oids) {
    const { sequence, hash: previous } = log.at(-1)?.end ?? START
    const changes = [{ ref: 'refs/heads/main', oldOid: undefined, newOid }]
    const entry = { repository: HOME_ID, sequence: sequence + 1, timeMs: 1, previous, head: undefined, changes }
    const bytes = encodeEntry(entry)
    const end = { sequence: sequence + 1, hash: hashEntry(bytes) }
    log.push({ signed: { bytes, signature: signerOf(SEED).sign(bytes) }, end })
  }
  return log
}

let data: TestData
let lease: Lease
let staged: StagedEntries
let isFull: boolean
/** What the home was asked for: entries after which number. */
let asked: number[]

beforeEach(async () => {
  data = await openTestData()
  lease = new Lease(data.database, (error) => {
    throw error
  })
  await lease.start()
  isFull = false
  asked = []
  staged = new StagedEntries(data.database, lease, {
    assertWritable() {
      if (isFull) throw new Error('The disk is full')
    },
  })
  await data.database.write([
    { sql: `INSERT INTO owners (id, name, kind, created_at) VALUES ('o', 'alice', 'user', 0)`, parameters: [] },
    {
      sql: `INSERT INTO repositories (id, owner_id, name, description, private, head, created_at, updated_at, home, home_id)
        VALUES ('here', 'o', 'app', '', 0, 'refs/heads/main', 0, 0, ?, ?)`,
      parameters: [peer, HOME_ID],
    },
  ])
})
afterEach(async () => {
  lease.stop()
  await data[Symbol.asyncDispose]()
})

interface Attempt {
  readonly limits?: Partial<MirrorLimits>
  /** Where it says that its log ends, if not where it does. */
  readonly known?: () => ChainEnd | undefined
  /** When it is asked, before it answers. */
  onAsked?(): Promise<void>
}

/** One attempt to read a home that gives two entries an answer. @returns numbers of all entries, and of the fresh ones */
async function read(
  log: readonly Told[],
  { limits = {}, known, onAsked }: Attempt = {},
): Promise<{ all: number[]; fresh: number[] } | undefined> {
  const client = {
    async ask(question: { body(): { after: number }; take(answer: unknown): unknown }) {
      const { after } = question.body()
      asked.push(after)
      await onAsked?.()
      const entries = log.slice(after, after + 2).map(({ signed: { bytes, signature } }) => [bytes, signature])
      return question.take({ entries })
    },
  }
  const parts = { client, staged, limits: { ...MIRROR_LIMITS, ...limits } } as unknown as HomeLogParts
  const home = { repository, homeId: HOME_ID, peer, known: () => known?.() ?? log.at(-1)?.end ?? START }
  const got = await readHomeLog(home, START, parts, new AbortController().signal)
  if (got === undefined) return undefined
  return { all: [...got.entries].map((one) => one.sequence), fresh: got.fresh.map((one) => one.sequence) }
}

const stagedNow = (): number => staged.end(repository.id, 0)?.sequence ?? 0

it.each([
  { name: 'is not much is held', limits: {}, kept: 0 },
  { name: 'are many entries is staged', limits: { entriesMax: 2 }, kept: 4 },
  { name: 'are many changes is staged', limits: { changesMax: 3 }, kept: 3 },
  { name: 'are many bytes is staged', limits: { bytesMax: 1 }, kept: 4 },
])('what $name', async ({ limits, kept }) => {
  const fresh = [1, 2, 3, 4, 5].slice(kept)
  expect(await read(logOf(OIDS.slice(0, 5)), { limits })).toEqual({ all: [1, 2, 3, 4, 5], fresh })
  expect(stagedNow()).toBe(kept)
  expect(asked).toEqual([0, 2, 4])
  // Nothing of it is what a ref points to, or did: the objects may never come.
  expect([...new RefTips(data.database).since(repository.id, 0)].flat()).toEqual([])
})

it('what becomes known while it is read is read as well', async () => {
  const log = logOf(OIDS)
  let last = 1
  const onAsked = async (): Promise<void> => void (last = 5)
  expect(await read(log, { known: () => log[last]?.end, onAsked })).toMatchObject({ all: [1, 2, 3, 4, 5, 6] })
})

it('what was not verified is not staged, and what was stays', async () => {
  const log = logOf(OIDS.slice(0, 4))
  const forged = log.map((told, at) => {
    const signature = signerOf(new Uint8Array(32)).sign(told.signed.bytes)
    return at === 2 ? { ...told, signed: { ...told.signed, signature } } : told
  })
  const limits = { entriesMax: 1 }
  await expect(read(forged, { limits })).rejects.toMatchObject({ detail: { code: 'signature_wrong' } })
  expect(stagedNow()).toBe(2)
  expect(await read(log, { limits })).toEqual({ all: [1, 2, 3, 4], fresh: [4] })
  expect(asked).toEqual([0, 2, 2])
})

it('nothing is staged while writes are refused', async () => {
  isFull = true
  await expect(read(logOf(OIDS), { limits: { entriesMax: 2 } })).rejects.toThrow('The disk is full')
  expect(stagedNow()).toBe(0)
})

it('two that read at once do not make one log of two', async () => {
  const log = logOf(OIDS)
  const limits = { entriesMax: 1 }
  const onAsked = async (): Promise<void> => {
    if (asked.length === 1) await read(log, { limits })
  }
  await expect(read(log, { limits, onAsked })).rejects.toMatchObject({ detail: { code: 'conflict' } })
  expect(await read(log)).toEqual({ all: [1, 2, 3, 4, 5, 6], fresh: [6] })
})

describe('a home that was brought back from a backup', () => {
  const before = logOf(OIDS)
  const common = before.slice(0, 3)
  const limits = { entriesMax: 1 }

  beforeEach(async () => {
    await read(before, { limits })
    expect(stagedNow()).toBe(5)
    asked = []
  })

  it('is believed where it is behind what is staged', async () => {
    expect(await read(common)).toEqual({ all: [1, 2, 3], fresh: [] })
    expect(await read(before)).toEqual({ all: [1, 2, 3, 4, 5, 6], fresh: [6] })
    expect(asked).toEqual([5])
  })

  it('is read anew where it has another entry of that number', async () => {
    const other = logOf(['0'.repeat(39) + '1'], common)
    expect(await read(other)).toBeUndefined()
    expect(stagedNow()).toBe(0)
    expect(await read(other)).toEqual({ all: [1, 2, 3, 4], fresh: [1, 2, 3, 4] })
  })

  it.each([
    { name: 'it has gone on', other: logOf(OIDS.slice(0, 4).toReversed(), common), code: 'chain_broken' },
    { name: 'it announces more than it has', other: common, code: 'sequence_gap' },
  ])('is read anew the next time where $name', async ({ other, code }) => {
    const known = { sequence: 7, hash: Buffer.alloc(32, 1) }
    await expect(read(other, { known: () => known })).rejects.toMatchObject({ detail: { code } })
    expect(stagedNow()).toBe(0)
    const numbers = other.map(({ end }) => end.sequence)
    expect(await read(other)).toEqual({ all: numbers, fresh: numbers })
  })
})
