/** A home whose refs change, and a mirror that reads its log: what the mirror shows, the home has shown (I5). */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterAll, beforeAll } from 'vitest'
import { branchExistsStatement } from '../src/collaboration/repository-statements.ts'
import { type HomeLogParts, readHomeLog } from '../src/p2p/replication/home-log.ts'
import { Lease } from '../src/storage/lease.ts'
import { NO_HASH, signerOf } from '../src/storage/repositories/ref-log.ts'
import { RefLog } from '../src/storage/repositories/ref-log-store.ts'
import { RefStore } from '../src/storage/repositories/ref-store.ts'
import { StagedEntries } from '../src/storage/repositories/staged-entries.ts'
import { openTestData, type TestData } from '../src/storage/testing.ts'
import { headAfter, judgeCommands } from '../src/transfer/ref-rules.ts'
import { foldEntries, judgeMirrored } from '../src/transfer/replica-rules.ts'
import type { Tip } from '../src/transfer/workers/tasks.ts'
import { record } from './arbitraries.ts'
import { prop } from './prop.ts'

const SEED = new Uint8Array(32).fill(7)
const BRANCHES = ['main', 'a', 'a/b'].map((name) => `refs/heads/${name}`)
const NAMES = [...BRANCHES, 'refs/tags/t']
const COMMITS = ['11', '22'].map((byte) => byte.repeat(20))
/** An annotated tag. */
const TAG = { oid: '33'.repeat(20), type: 4, peeled: COMMITS[0] ?? null } as const
const TIPS: ReadonlyMap<string, Tip> = new Map(
  [...COMMITS.map((oid): Tip => ({ oid, type: 1, peeled: null })), TAG].map((one) => [one.oid, one]),
)

let data: TestData
let lease: Lease
let log: RefLog
let refs: RefStore
let staged: StagedEntries
let peer: string
let repositories = 0
beforeAll(async () => {
  data = await openTestData()
  lease = new Lease(data.database, (error) => {
    throw error
  })
  await lease.start()
  log = new RefLog(data.database, signerOf(SEED))
  refs = new RefStore(data.database, lease, log)
  staged = new StagedEntries(data.database, lease, { assertWritable() {} })
  peer = peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', SEED)).toString()
  const owner = `INSERT INTO owners (id, name, kind, created_at) VALUES ('o', 'alice', 'user', 0)`
  await data.database.write([{ sql: owner, parameters: [] }])
})
afterAll(async () => {
  lease.stop()
  await data[Symbol.asyncDispose]()
})

interface State {
  readonly head: string
  /** Name → object, and what that finally points to: a mirror finds the latter out by itself. */
  readonly refs: Readonly<Record<string, string>>
}
interface Site {
  readonly home: string
  readonly mirror: string
  /** What the home has shown, by the number of its transaction. */
  readonly shown: State[]
}

/** A repository and its mirror; that both lie in one database matters to neither. */
async function newSite(): Promise<Site> {
  const number = repositories++
  const [home, mirror] = [`home ${number}`, `mirror ${number}`]
  const sql = `INSERT INTO repositories
      (id, owner_id, name, description, private, head, head_unborn, created_at, updated_at, home, home_id)
    VALUES (?, 'o', ?, '', 0, 'refs/heads/main', 1, 0, 0, ?, ?)`
  await data.database.write([
    { sql, parameters: [home, home, null, null] },
    { sql, parameters: [mirror, mirror, peer, home] },
  ])
  return { home, mirror, shown: [{ head: 'refs/heads/main', refs: {} }] }
}

function stateOf(id: string): State {
  const { head, refs: all } = refs.snapshot(id)
  return { head, refs: Object.fromEntries(all.map(({ name, oid, peeled }) => [name, `${oid} ${peeled}`])) }
}

type Step =
  | { readonly does: 'push'; readonly wishes: readonly { readonly ref: string; readonly wants: number }[] }
  | { readonly does: 'point HEAD'; readonly head: string }
  | {
      readonly does: 'follow'
      /** More are staged. */
      readonly entriesMax: number
      /** More are another step. */
      readonly refsMax: number
      readonly bytesPerAnswer: number
      /** It ends after the log was read, and what was staged waits for the next one. */
      readonly breaksOff: boolean
    }

async function push({ home, shown }: Site, { wishes }: Step & { does: 'push' }): Promise<void> {
  const snapshot = refs.snapshot(home)
  const oids = [...COMMITS, TAG.oid]
  const commands = wishes.map(({ ref, wants }) => {
    return { ref, oldOid: snapshot.byName.get(ref)?.oid, newOid: oids[wants] }
  })
  const updates = judgeCommands(commands, snapshot, TIPS).flatMap((one) => ('update' in one ? one.update : []))
  if (updates.length === 0) return
  const head = headAfter(snapshot, updates, undefined)
  assert.ok(await refs.apply({ repositoryId: home, updates, userId: null, ...(head !== undefined && { head }) }))
  const before = shown.at(-1) as State
  const now: Record<string, string> = { ...before.refs }
  for (const { name } of updates) delete now[name]
  for (const { name, newOid } of updates) {
    if (newOid !== undefined) now[name] = `${newOid} ${newOid === TAG.oid ? TAG.peeled : null}`
  }
  shown.push({ head: head ?? before.head, refs: now })
}

async function pointHead({ home, shown }: Site, head: string): Promise<void> {
  const before = shown.at(-1) as State
  const change = { repositoryId: home, updates: [], userId: null, head, isPush: false }
  const { committed } = await refs.append(change, [branchExistsStatement(home, head)])
  assert.equal(committed, head in before.refs || Object.keys(before.refs).length === 0)
  if (committed) shown.push({ head, refs: before.refs })
}

async function follow(
  { home, mirror, shown }: Site,
  { entriesMax, refsMax, bytesPerAnswer, breaksOff }: Omit<Step & { does: 'follow' }, 'does'>,
): Promise<void> {
  const from = log.end(mirror)
  assert.ok(from)
  if (from.sequence === shown.length - 1) return
  const client = {
    async ask(question: { body(): { after: number }; take(answer: unknown): unknown }) {
      const entries = log.read(home, question.body().after, bytesPerAnswer)
      return question.take({ entries: entries.map(({ bytes, signature }) => [bytes, signature]) })
    },
  }
  const limits = { entriesMax, bytesMax: Infinity, changesMax: Infinity, refsMax }
  const followed = {
    repository: { id: mirror, owner: 'alice', name: mirror },
    homeId: home,
    peer,
    known: () => log.end(home) ?? { sequence: 0, hash: NO_HASH },
  }
  const parts = { client, staged, limits } as unknown as HomeLogParts
  const read = await readHomeLog(followed, from, parts, new AbortController().signal)
  assert.ok(read)
  assert.deepEqual(stateOf(mirror), shown[from.sequence], 'what is read is not shown')
  if (breaksOff) return
  const snapshot = refs.snapshot(mirror)
  const folded = await foldEntries(snapshot, read.entries, refsMax)
  const { to } = folded
  assert.ok(to.sequence > from.sequence, 'a mirror that does not get on')
  const updates = judgeMirrored(folded, snapshot, TIPS)
  assert.ok(updates.length <= refsMax || to.sequence === from.sequence + 1)
  const entries = read.fresh.filter(({ sequence }) => sequence <= to.sequence)
  const batch = { repositoryId: mirror, from, to, entries, updates }
  assert.ok(await refs.applyMirrored(batch))
  assert.equal(await refs.applyMirrored(batch), false, 'the same step twice')
  assert.deepEqual(stateOf(mirror), shown[to.sequence])
}

// Mostly of the first branch, and often none: so a repository is empty again and again, and HEAD may point anywhere then.
const wish = record({
  ref: fc.oneof({ weight: 2, arbitrary: fc.constant('refs/heads/main') }, fc.constantFrom(...NAMES)),
  wants: fc.oneof(fc.nat(2), fc.constant(3)),
})
const pushing = record({
  does: fc.constant('push' as const),
  wishes: fc.oneof(fc.tuple(wish), fc.uniqueArray(wish, { minLength: 2, maxLength: 4, selector: ({ ref }) => ref })),
})
const pointing = record({ does: fc.constant('point HEAD' as const), head: fc.constantFrom(...BRANCHES) })
const following = record({
  does: fc.constant('follow' as const),
  entriesMax: fc.integer({ min: 1, max: 4 }),
  refsMax: fc.constantFrom(0, 1, 2, 9),
  bytesPerAnswer: fc.constantFrom(1, 500, 1_000_000),
  breaksOff: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: pushing },
  { weight: 3, arbitrary: pointing },
  { weight: 3, arbitrary: following },
)

/** HEAD names no branch though there is one, as somebody chose it while there was none: so that one can go again. */
const HEAD_UNBORN: readonly Step[] = [
  { does: 'point HEAD', head: 'refs/heads/a' },
  { does: 'push', wishes: [{ ref: 'refs/heads/main', wants: 0 }] },
  { does: 'follow', entriesMax: 9, refsMax: 9, bytesPerAnswer: 500, breaksOff: false },
]
const before = fc.constantFrom([], HEAD_UNBORN)

prop([before, fc.array(step, { minLength: 1, maxLength: 20 })])(
  'a mirror shows what its home has shown, later and later, however it reads the log, and comes to the end of it',
  async (earlier, later) => {
    const site = await newSite()
    for (const one of [...earlier, ...later]) {
      if (one.does === 'push') await push(site, one)
      else if (one.does === 'point HEAD') await pointHead(site, one.head)
      else await follow(site, one)
      assert.deepEqual(stateOf(site.home), site.shown.at(-1))
    }
    const rest = { entriesMax: 2, refsMax: 1, bytesPerAnswer: 500, breaksOff: false }
    while (log.end(site.mirror)?.sequence !== site.shown.length - 1) await follow(site, rest)
    assert.deepEqual(stateOf(site.mirror), stateOf(site.home))
    // Who follows the mirror's rows sees the log of its home.
    assert.deepEqual(log.end(site.mirror)?.hash, log.end(site.home)?.hash)
  },
)
