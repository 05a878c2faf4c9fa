import { setImmediate } from 'node:timers/promises'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import pino from 'pino'
import { beforeEach, expect, it, vi } from 'vitest'
import { NO_HASH } from '../../storage/repositories/ref-log.ts'
import type { Announcement } from '../wire/messages.ts'
import { type FollowerParts, HomeFollower } from './follower.ts'
import { MIRROR_LIMITS } from './mirror-limits.ts'

const SEED = new Uint8Array(32).fill(7)
const peer = peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', SEED)).toString()
const HOME_ID = '01930000-0000-7000-8000-000000000001'
const ROW = { id: 'here', owner: 'alice', name: 'app', home_id: HOME_ID }
const WANTED = { peer, address: undefined, repository: { owner: 'alice', name: 'app' } }
const ANNOUNCED: Announcement = {
  v: 1,
  id: HOME_ID,
  type: 'announce',
  repository: HOME_ID,
  owner: 'alice',
  name: 'app',
  sequence: 4,
  hash: NO_HASH,
}

const failed = vi.fn<() => void>()
beforeEach(() => void failed.mockClear())
const failures = (): number => failed.mock.calls.length

type Ask = (question: { exchange: string; body(): { after?: unknown } }) => Promise<unknown>

/** A follower of a home that answers as `ask` says, with a copy of alice/app whose log is empty. */
function follower(ask: Ask): HomeFollower {
  const client = {
    async ask(question: Parameters<Ask>[0] & { take(answer: unknown): unknown }) {
      return question.take(await ask(question))
    },
  }
  const parts = {
    client,
    database: { reader: { prepare: () => ({ all: () => [ROW] }) } },
    log: { end: () => ({ sequence: 0, hash: NO_HASH, home: peer }) },
    repositories: { createMirror: async () => 'here', async describeMirror() {} },
    staged: { end() {} },
    limits: MIRROR_LIMITS,
    metrics: { p2pReplicationFailures: { inc: failed }, p2pRefusals: { inc() {} } },
    logger: pino({ level: 'silent' }),
    intervalMs: 60_000,
    packBytesMax: 1_000,
  }
  return new HomeFollower(peer, parts as unknown as FollowerParts)
}

it('a home that has always more to say is left', async () => {
  let asked = 0
  const home = follower(async () => {
    await setImmediate()
    if (++asked > 1_000) await new Promise(() => {})
    return { url: null, heads: [], next: `alice/${asked}` }
  })
  home.subscriptions = [WANTED]
  home.tick()
  await expect.poll(() => home.lastError).toContain('in at most 250 answers')
  await home.stop()
})

it('what is not wanted any more is not followed, whatever is announced, and is not late', async () => {
  const asked = vi.fn(async () => ({ url: null, heads: [], next: null, entries: [] }))
  const home = follower(asked)
  home.subscriptions = [WANTED]
  home.announced(ANNOUNCED)
  await expect.poll(failures).toBe(1)
  expect(home.lagS).toBeGreaterThan(0)
  asked.mockClear()
  home.subscriptions = [{ ...WANTED, repository: { owner: 'alice', name: 'other' } }]
  expect(home.lagS).toBe(0)
  home.announced(ANNOUNCED)
  await setImmediate()
  expect(asked).not.toHaveBeenCalled()
})

it('what its home shows to nobody any more is not late', async () => {
  const home = follower(async () => ({ url: null, heads: [], next: null, entries: [] }))
  home.subscriptions = [WANTED]
  home.announced(ANNOUNCED)
  await expect.poll(failures).toBe(1)
  expect(home.lagS).toBeGreaterThan(0)
  home.tick()
  await expect.poll(() => home.lagS).toBe(0)
  await home.stop()
})

it('many announcements during one attempt are one failure when it fails', async () => {
  const { promise, reject } = Promise.withResolvers()
  const home = follower(() => promise)
  home.subscriptions = [WANTED]
  for (let sent = 0; sent < 1_000; sent++) home.announced(ANNOUNCED)
  reject(new Error('gone'))
  await expect.poll(failures).toBeGreaterThan(0)
  await setImmediate()
  expect(failures()).toBe(1)
})

it('a home whose log is another one than ours says so for as long as it is', async () => {
  const home = follower(async () => ({ url: null, heads: [], next: null }))
  home.subscriptions = [WANTED]
  home.announced({ ...ANNOUNCED, sequence: 0, hash: new Uint8Array(32).fill(1) })
  await expect.poll(() => home.lastError).toContain('another one than ours')
  expect(home.lagS).toBeGreaterThan(0)
})
