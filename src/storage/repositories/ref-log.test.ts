import { createHash } from 'node:crypto'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Lease } from '../lease.ts'
import { openTestData, type TestData } from '../testing.ts'
import {
  type ChainEnd,
  CHANGES_MAX,
  decodeEntry,
  encodeEntry,
  LogError,
  NO_HASH,
  type SignedEntry,
  signerOf,
  verifierOf,
  type VerifiedEntry,
  verifyChain,
} from './ref-log.ts'
import { RefLog } from './ref-log-store.ts'
import { RefStore } from './ref-store.ts'
import { StagedEntries } from './staged-entries.ts'

const [A, B] = ['a1', 'b2'].map((byte) => byte.repeat(20)) as [string, string]
const SEED = new Uint8Array(32).fill(7)
const REPOSITORY = '01930000-0000-7000-8000-000000000001'
const START: ChainEnd = { sequence: 0, hash: NO_HASH }

let data: TestData
let lease: Lease
let log: RefLog
let refs: RefStore
let isSigned: (entry: SignedEntry) => boolean

beforeEach(async () => {
  data = await openTestData()
  lease = new Lease(data.database, (error) => {
    throw error
  })
  await lease.start()
  log = new RefLog(data.database, signerOf(SEED))
  refs = new RefStore(data.database, lease, log)
  const { publicKey } = await generateKeyPairFromSeed('Ed25519', SEED)
  isSigned = verifierOf(publicKey.raw)
  await data.database.write([
    { sql: `INSERT INTO owners (id, name, kind, created_at) VALUES ('o', 'alice', 'user', 0)`, parameters: [] },
    {
      sql: `INSERT INTO repositories (id, owner_id, name, description, private, head, created_at, updated_at)
        VALUES (?, 'o', 'app', '', 0, 'refs/heads/main', 0, 0)`,
      parameters: [REPOSITORY],
    },
  ])
})
afterEach(async () => {
  lease.stop()
  await data[Symbol.asyncDispose]()
})

async function pushThree(): Promise<void> {
  const main = { name: 'refs/heads/main', peeled: null }
  const push = (oldOid: string | undefined, newOid: string | undefined, head?: string) =>
    refs.apply({
      repositoryId: REPOSITORY,
      updates: [{ ...main, oldOid, newOid }],
      userId: 'alice',
      ...(head !== undefined && { head }),
    })
  await push(undefined, A, 'refs/heads/main')
  await push(A, B)
  await push(B, undefined)
}

const verify = (entries: readonly SignedEntry[], end: ChainEnd = START) =>
  verifyChain(entries, end, { repository: REPOSITORY, isSigned })
const codeOf = (entries: readonly SignedEntry[], end?: ChainEnd): string => {
  try {
    verify(entries, end)
    return 'accepted'
  } catch (error) {
    return error instanceof LogError ? error.detail.code : String(error)
  }
}

describe('the log of ref transactions', () => {
  it('is a chain that whoever has the key of the home can check', async () => {
    await pushThree()
    const entries = log.read(REPOSITORY, 0, 1e6)
    const verified = verify(entries)
    expect(verified.map(({ sequence, head, changes }) => [sequence, head, changes])).toEqual([
      [1, 'refs/heads/main', [{ ref: 'refs/heads/main', oldOid: undefined, newOid: A }]],
      [2, undefined, [{ ref: 'refs/heads/main', oldOid: A, newOid: B }]],
      [3, undefined, [{ ref: 'refs/heads/main', oldOid: B, newOid: undefined }]],
    ])
    expect(verified[1]?.previous).toEqual(
      createHash('sha256')
        .update(entries[0]?.bytes ?? '')
        .digest(),
    )
    expect(log.end(REPOSITORY)).toEqual({ sequence: 3, hash: verified[2]?.hash, home: null })
  })

  it('is read from anywhere, as much as is asked for, and at least one entry', async () => {
    await pushThree()
    const all = log.read(REPOSITORY, 0, 1e6)
    expect(log.read(REPOSITORY, 1, 1e6)).toEqual(all.slice(1))
    expect(log.read(REPOSITORY, 0, 1)).toEqual(all.slice(0, 1))
    expect(log.read(REPOSITORY, 3, 1e6)).toEqual([])
    expect(log.read(REPOSITORY, 4, 1e6)).toEqual([])
    expect(log.read('nobody', 0, 1e6)).toEqual([])
    const [first] = verify(all)
    expect(codeOf(all.slice(1), first)).toBe('accepted')
  })

  it('goes on without a gap when many append at once', async () => {
    const branch = (n: number) => ({ name: `refs/heads/${n}`, oldOid: undefined, newOid: A, peeled: null })
    const pushes = Array.from({ length: 20 }, (_, n) =>
      refs.apply({ repositoryId: REPOSITORY, updates: [branch(n)], userId: null }),
    )
    expect(await Promise.all(pushes)).toEqual(Array.from({ length: 20 }, () => true))
    expect(verify(log.read(REPOSITORY, 0, 1e6))).toHaveLength(20)
  })

  it.each([
    { name: 'an entry left out', of: ([a, , c]: SignedEntry[]) => [a, c], code: 'sequence_gap' },
    { name: 'an entry twice', of: ([a, b]: SignedEntry[]) => [a, b, b], code: 'sequence_gap' },
    { name: 'the first one missing', of: ([, b]: SignedEntry[]) => [b], code: 'sequence_gap' },
    {
      name: 'the signature of another entry',
      of: ([a, b]: SignedEntry[]) => [{ bytes: a!.bytes, signature: b!.signature }],
      code: 'signature_wrong',
    },
    {
      name: 'a signature cut short',
      of: ([a]: SignedEntry[]) => [{ bytes: a!.bytes, signature: a!.signature.subarray(1) }],
      code: 'signature_wrong',
    },
    {
      name: 'a bit changed',
      of: ([a]: SignedEntry[]) => [{ ...a!, bytes: a!.bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte)) }],
      code: 'signature_wrong',
    },
    { name: 'another key', of: () => [signed({ key: new Uint8Array(32) })], code: 'signature_wrong' },
    { name: 'another repository', of: () => [signed({ repository: 'other' })], code: 'wrong_repository' },
    { name: 'another past', of: () => [signed({ previous: Buffer.alloc(32, 1) })], code: 'chain_broken' },
    { name: 'bytes that are no entry', of: () => [signedBytes(Buffer.from('a0', 'hex'))], code: 'entry_malformed' },
    { name: 'nothing of this', of: (all: SignedEntry[]) => all, code: 'accepted' },
  ])('is refused with $name: $code', async ({ of, code }) => {
    await pushThree()
    expect(codeOf(of(log.read(REPOSITORY, 0, 1e6)) as SignedEntry[])).toBe(code)
  })

  it('is signed anew where an older version wrote it without signatures', async () => {
    await pushThree()
    const before = log.read(REPOSITORY, 0, 1e6)
    await data.database.write([
      { sql: 'UPDATE ref_transactions SET hash = NULL, signature = NULL, head = NULL', parameters: [] },
      { sql: 'UPDATE repositories SET log_hash = NULL', parameters: [] },
    ])
    expect(log.read(REPOSITORY, 0, 1e6)).toEqual([])
    expect(await log.sealOld(lease)).toBe(3)
    const verified = verify(log.read(REPOSITORY, 0, 1e6))
    expect(verified.map((entry) => entry.changes)).toEqual(before.map(({ bytes }) => decodeEntry(bytes).changes))
    // When HEAD was chosen nobody wrote down; where it points, the last entry says.
    expect(verified.map((entry) => entry.head)).toEqual([undefined, undefined, 'refs/heads/main'])
    expect(log.end(REPOSITORY)?.hash).toEqual(verified[2]?.hash)
    expect(await log.sealOld(lease)).toBe(0)
    expect(await refs.apply({ repositoryId: REPOSITORY, updates: [], userId: null })).toBe(true)
    expect(verify(log.read(REPOSITORY, 0, 1e6))).toHaveLength(4)
  })
})

describe('a mirror', () => {
  const MIRROR = 'mirror'
  beforeEach(async () => {
    await data.database.write([
      {
        sql: `INSERT INTO repositories (id, owner_id, name, description, private, head, created_at, updated_at, home, home_id)
          VALUES (?, 'o', 'copy', '', 0, 'refs/heads/main', 0, 0, 'peer', ?)`,
        parameters: [MIRROR, REPOSITORY],
      },
    ])
  })

  it('takes its entries in one step, and only from where it is', async () => {
    await pushThree()
    const entries = verify(log.read(REPOSITORY, 0, 1e6)).slice(0, 2)
    const updates = [{ name: 'refs/heads/main', oldOid: undefined, newOid: B, peeled: null }]
    const to = { ...entries[1]!, head: 'refs/heads/main' }
    const batch = { repositoryId: MIRROR, from: START, to, entries, updates }
    expect(await refs.applyMirrored(batch)).toBe(true)
    expect(log.end(MIRROR)).toEqual({ sequence: 2, hash: entries[1]?.hash, home: 'peer' })
    expect(refs.snapshot(MIRROR)).toMatchObject({ sequence: 2, headUnborn: false, refs: [{ oid: B }] })
    expect(await refs.applyMirrored(batch)).toBe(false)
    expect(refs.snapshot(MIRROR).sequence).toBe(2)
  })

  it('moves past what is staged, if it is still there', async () => {
    await pushThree()
    const entries = verify(log.read(REPOSITORY, 0, 1e6))
    const [first, second, third] = entries as [VerifiedEntry, VerifiedEntry, VerifiedEntry]
    const staged = new StagedEntries(data.database, lease, { assertWritable() {} })
    const step = (to: VerifiedEntry, fresh: readonly VerifiedEntry[]): Promise<boolean> =>
      refs.applyMirrored({ repositoryId: MIRROR, from: START, to, entries: fresh, updates: [] })
    expect(await staged.add(MIRROR, [second])).toBe(false)
    expect(await step(third, [third])).toBe(false)
    expect(await step(second, [])).toBe(false)
    expect(await staged.add(MIRROR, [first, second])).toBe(true)
    expect(await staged.add(MIRROR, [second, third])).toBe(false)
    expect(await staged.add(MIRROR, [{ ...third, previous: first.hash }])).toBe(false)
    expect(log.end(MIRROR)).toMatchObject({ sequence: 0 })
    expect(await step(second, [])).toBe(true)
    await staged.drop(MIRROR)
    expect(staged.has(MIRROR, second)).toBe(true)
    expect(
      await refs.applyMirrored({ repositoryId: MIRROR, from: second, to: third, entries: [third], updates: [] }),
    ).toBe(true)
    expect([...staged.read(MIRROR, 0, 9)].map(({ changes }) => changes)).toEqual(entries.map(({ changes }) => changes))
  })

  it('orders nothing itself', async () => {
    const updates = [{ name: 'refs/heads/main', oldOid: undefined, newOid: B, peeled: null }]
    await expect(refs.apply({ repositoryId: MIRROR, updates, userId: null })).rejects.toMatchObject({
      detail: { code: 'repository_is_mirror' },
    })
    expect(refs.snapshot(MIRROR).refs).toEqual([])
  })
})

interface Forged {
  readonly key?: Uint8Array
  readonly repository?: string
  readonly previous?: Buffer
}

function signed({ key, repository = REPOSITORY, previous = NO_HASH }: Forged): SignedEntry {
  const entry = { repository, sequence: 1, timeMs: 0, previous, head: undefined, changes: [] }
  return signedBytes(encodeEntry(entry), key)
}

function signedBytes(bytes: Uint8Array, key: Uint8Array = SEED): SignedEntry {
  return { bytes, signature: signerOf(key).sign(bytes) }
}

it('as many changes as an entry may have can be read, and one more is neither written nor read', () => {
  const changes = (count: number) =>
    Array.from({ length: count }, () => ({ ref: 'a', oldOid: undefined, newOid: undefined }))
  const updates = (count: number) =>
    Array.from({ length: count }, () => ({ name: 'a', oldOid: undefined, newOid: undefined }))
  const bytes = (count: number) =>
    encodeEntry({
      repository: REPOSITORY,
      sequence: 1,
      timeMs: 1,
      previous: NO_HASH,
      head: undefined,
      changes: changes(count),
    })
  const append = (count: number) => () =>
    log.appendStatements({ repositoryId: REPOSITORY, updates: updates(count), userId: null, isPush: true }, START)
  expect(decodeEntry(bytes(CHANGES_MAX)).changes).toHaveLength(CHANGES_MAX)
  expect(() => decodeEntry(bytes(CHANGES_MAX + 1))).toThrow(LogError)
  expect(append(CHANGES_MAX)).not.toThrow()
  expect(append(CHANGES_MAX + 1)).toThrow(`at most ${CHANGES_MAX} refs`)
})
