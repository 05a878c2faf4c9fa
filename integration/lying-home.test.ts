/** A home that lies: what it says is refused, counted by reason, and changes nothing here (DESIGN §7). */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { encodeCbor } from '../src/validation/cbor.ts'
import {
  FakeHome,
  firstEntry,
  headAt,
  logReply,
  packReply,
  type Responses,
  statusReply,
  type Told,
} from './support/fake-home.ts'
import type { NodeProcess } from './support/node-process.ts'
import type { SignedEntry } from '../src/storage/repositories/ref-log.ts'
import { temporaryFolder } from './support/git.ts'
import { blob, commit, pack as makePack, tree, whole } from './support/pack-maker.ts'
import { addMirror, PATIENCE, refsOn, startPeer } from './support/peers.ts'

const content = blob('what a lying home has\n')
const folderOf = tree(['100644', 'file', content.oid])
const tip = commit(folderOf.oid)
const goodPack = makePack([whole(tip), whole(folderOf), whole(content)])
const elsewhere = commit('00'.repeat(20))

const truthOf = (told: Told): Responses => {
  const entry = firstEntry(told, tip.oid)
  return { status: statusReply(headAt(told, entry)), log: logReply(entry), pack: packReply(goodPack) }
}

/** One bit of its signature is another one. */
const flipped = ({ bytes, signature }: SignedEntry): SignedEntry => ({
  bytes,
  signature: signature.map((byte, at) => (at === 5 ? byte ^ 1 : byte)),
})

interface Lie {
  readonly name: string
  /** In place of the truth. */
  lie(told: Told): Responses
  readonly refusal?: string
  readonly failure: string
}

const lies: readonly Lie[] = [
  {
    name: 'a signature that is not its own',
    lie: (told) => ({ log: logReply(flipped(firstEntry(told, tip.oid))) }),
    refusal: 'signature',
    failure: 'invalid',
  },
  {
    name: 'an entry signed by another key',
    lie: (told) => ({ log: logReply(firstEntry(told, tip.oid, {}, new Uint8Array(32))) }),
    refusal: 'signature',
    failure: 'invalid',
  },
  {
    name: 'an entry left out',
    lie: (told) => ({ log: logReply(firstEntry(told, tip.oid, { sequence: 2 })) }),
    refusal: 'sequence',
    failure: 'invalid',
  },
  { name: 'no entries at all', lie: () => ({ log: logReply() }), refusal: 'sequence', failure: 'invalid' },
  {
    name: 'another past',
    lie: (told) => ({ log: logReply(firstEntry(told, tip.oid, { previous: Buffer.alloc(32, 1) })) }),
    refusal: 'contradiction',
    failure: 'invalid',
  },
  {
    name: 'the log of another repository',
    lie: (told) => ({
      log: logReply(firstEntry(told, tip.oid, { repository: '01930000-0000-7000-8000-00000000dead' })),
    }),
    refusal: 'contradiction',
    failure: 'invalid',
  },
  {
    name: 'a change of a ref that was never so',
    lie: (told) => ({
      log: logReply(
        firstEntry(told, tip.oid, { changes: [{ ref: 'refs/heads/main', oldOid: tip.oid, newOid: content.oid }] }),
      ),
    }),
    refusal: 'contradiction',
    failure: 'invalid',
  },
  {
    name: 'a ref that no pusher could make',
    lie: (told) => ({
      log: logReply(
        firstEntry(told, tip.oid, { changes: [{ ref: 'refs/heads/../../x', oldOid: undefined, newOid: tip.oid }] }),
      ),
    }),
    refusal: 'contradiction',
    failure: 'invalid',
  },
  {
    name: 'a HEAD that would write into another file',
    lie: (told) => ({ log: logReply(firstEntry(told, tip.oid, { head: 'refs/heads/a\nref: x' })) }),
    refusal: 'contradiction',
    failure: 'invalid',
  },
  {
    name: 'a branch that is a file',
    lie: (told) => ({
      log: logReply(firstEntry(told, content.oid)),
      pack: packReply(makePack([whole(content)])),
    }),
    refusal: 'contradiction',
    failure: 'invalid',
  },
  {
    name: 'a pack without an object that it names',
    lie: () => ({ pack: packReply(makePack([whole(tip), whole(folderOf)])) }),
    refusal: 'pack',
    failure: 'invalid',
  },
  {
    name: 'a pack that ends early',
    lie: () => ({ pack: packReply(Buffer.concat([goodPack.subarray(0, 60), goodPack.subarray(-20)])) }),
    refusal: 'pack',
    failure: 'invalid',
  },
  {
    name: 'a pack without what the branch points to',
    lie: (told) => ({
      log: logReply(firstEntry(told, elsewhere.oid)),
      pack: packReply(makePack([whole(content)])),
    }),
    refusal: 'contradiction',
    failure: 'invalid',
  },
  {
    name: 'a pack that goes on longer than it says',
    lie: () => ({
      pack: (request) => ({ ...packReply(goodPack)(request), after: Buffer.concat([goodPack, goodPack]) }) as never,
    }),
    failure: 'unreachable',
  },
  {
    name: 'a version that there is not',
    lie: () => ({ log: ({ id }) => ({ message: encodeCbor({ v: 2, id, type: 'log', entries: [] }) }) }),
    refusal: 'unsupported_version',
    failure: 'invalid',
  },
  {
    name: 'a message that is no message',
    lie: () => ({ status: () => ({ message: Buffer.from('hello') }) }),
    refusal: 'malformed',
    failure: 'invalid',
  },
  {
    name: 'the answer to another message',
    lie: (told) => ({
      log: (request) => logReply(firstEntry(told, tip.oid))({ ...request, id: '01930000-0000-4000-8000-000000000001' }),
    }),
    refusal: 'malformed',
    failure: 'invalid',
  },
  {
    name: 'a name that leads out of the folder',
    lie: (told) => ({ status: statusReply({ ...headAt(told, firstEntry(told, tip.oid)), owner: '..', name: '../x' }) }),
    refusal: 'malformed',
    failure: 'invalid',
  },
  {
    name: 'a message over the limit',
    lie: () => ({ status: () => ({ message: Buffer.alloc(1024 * 1024 + 1) }) }),
    refusal: 'oversize',
    failure: 'invalid',
  },
]

let home: FakeHome
let mirror: NodeProcess

beforeAll(async () => {
  home = await FakeHome.start({ status: statusReply() })
  mirror = await startPeer(0, { GUTS_P2P_SYNC_INTERVAL: '1', GUTS_P2P_TIMEOUT: '1' })
  await addMirror(mirror, home.address)
})
afterAll(async () => {
  await mirror[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

it.each(lies.map((one, at) => ({ ...one, at })))('$name', async ({ lie, refusal, failure, at }) => {
  using folder = temporaryFolder('lies')
  const name = `app-${at}`
  const told = { name, repository: `01930000-0000-7000-8000-${String(at).padStart(12, '0')}` }
  const failed = `guts_p2p_replication_failures_total{reason="${failure}"}`
  const refused = refusal === undefined ? failed : `guts_p2p_refusals_total{reason="${refusal}"}`
  const before = { failed: await mirror.metric(failed), refused: await mirror.metric(refused) }
  home.responses = { ...truthOf(told), ...lie(told) }
  await expect.poll(() => mirror.metric(refused), PATIENCE).toBeGreaterThan(before.refused ?? Infinity)
  expect(await mirror.metric(failed)).toBeGreaterThan(before.failed ?? Infinity)
  // Untouched: no repository, or one in which there is nothing.
  expect(await refsOn(mirror, `alice/${name}`, folder.path)).toMatch(/^$|^none:/)
  // And not for ever: told the truth, it follows.
  home.responses = truthOf(told)
  await expect.poll(() => refsOn(mirror, `alice/${name}`, folder.path), PATIENCE).toContain(tip.oid)
})

it('each message is counted once, and each answer has its round trip', async () => {
  using folder = temporaryFolder('lies')
  const told = { name: 'counted', repository: '01930000-0000-7000-8000-000000000999' }
  home.responses = truthOf(told)
  await expect.poll(() => refsOn(mirror, 'alice/counted', folder.path), PATIENCE).toContain(tip.oid)
  const exchanges = ['status', 'log', 'pack'] as const
  await expect
    .poll(async () => {
      // What is asked in the meantime is on the next look.
      const before = { ...home.asked }
      const sent = await Promise.all(
        exchanges.map((type) => mirror.metric(`guts_p2p_messages_sent_total{type="${type}"}`)),
      )
      return exchanges.every((type, at) => sent[at] === before[type])
    }, PATIENCE)
    .toBe(true)
  for (const type of exchanges) {
    const received = await mirror.metric(`guts_p2p_messages_received_total{type="${type}"}`)
    expect(received).toBeGreaterThan(0)
    expect(await mirror.metric(`guts_p2p_message_latency_seconds_count{type="${type}"}`), type).toBe(received)
    // Those that were no messages were not received.
    expect(received).toBeLessThanOrEqual(home.asked[type])
  }
})

it('a pack that takes long to make is waited for, as long as it is promised', async () => {
  using folder = temporaryFolder('lies')
  const told = { name: 'slow', repository: '01930000-0000-7000-8000-000000000888' }
  const pack = packReply(goodPack)
  // Three times as long as an exchange may stand still, in steps that are shorter.
  const promised = { times: 6, everyMs: 500 }
  home.responses = { ...truthOf(told), pack: (request) => ({ ...pack(request), promised }) as never }
  const before = home.asked.pack
  await expect.poll(() => refsOn(mirror, 'alice/slow', folder.path), PATIENCE).toContain(tip.oid)
  expect(home.asked.pack).toBe(before + 1)
})
