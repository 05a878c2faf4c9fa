/**
 * I6: a mirror comes to where its home is however far behind it was, though the objects of states in between are gone
 * there. The home's parts and the mirror's are those that nodes run; what the mirror holds at once is two entries.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { RunningNode } from '../src/node.ts'
import { ExchangeClient } from '../src/p2p/exchange-client.ts'
import { P2pNode } from '../src/p2p/node.ts'
import { RepositoryMirror } from '../src/p2p/replication/mirror.ts'
import { MIRROR_LIMITS, type MirrorLimits } from '../src/p2p/replication/mirror-limits.ts'
import type { RepositoryRef } from '../src/transfer/git-request.ts'
import { repositoriesIn } from './crash-states/repositories-in.ts'
import { contentsOf, fsck, temporaryFolder } from './support/git.ts'
import { createUserHere, startNodeHere } from './support/node-in-process.ts'
import { blob, commit, type MadeObject, pack, tree, whole } from './support/pack-maker.ts'
import { command, NO_OID, post, pushBody } from './support/wire.ts'

const MAIN = 'refs/heads/main'
const DAY_MS = 24 * 3_600_000

const content = blob('what every state has\n')
const top = tree(['100644', 'file', content.oid])
/** Histories of one commit: none of them needs another. */
const [first, second, third, fourth] = ['one', 'two', 'three', 'four'].map((text) => commit(top.oid, [], text)) as [
  MadeObject,
  MadeObject,
  MadeObject,
  MadeObject,
]

const stack = new AsyncDisposableStack()
const folder = stack.use(temporaryFolder('mirror-behind'))
afterAll(() => stack.disposeAsync())
let home: RunningNode
let token: string
let mirror: RunningNode
let client: ExchangeClient

/** A new one for each test. */
let site: RepositoryRef
let mirrorId: string
let made = 0
/** What the mirror asked its home: for entries after a number, and for packs. */
let asked: (number | string)[]
/** Happens once, before the home is asked for a pack. */
let meanwhile: (() => Promise<void>) | undefined

async function start(name: string): Promise<RunningNode> {
  const node = await startNodeHere(join(folder.path, name))
  stack.defer(() => node.stop())
  return node
}

beforeAll(async () => {
  home = await start('home')
  mirror = await start('mirror')
  token = await createUserHere(home, 'alice')
  const options = { privateKeySeed: new Uint8Array(32).fill(9), host: '127.0.0.1', port: 0, minPeers: 0 }
  const peers = { announceAddresses: [], bootstrapPeers: [], allowedPeers: [], timeoutMs: 20_000 }
  const parts = { metrics: mirror.metrics, logger: pino({ level: 'silent' }) }
  const p2p = await P2pNode.start({ ...options, ...peers }, parts)
  stack.defer(() => p2p.stop())
  p2p.setTargets([`/ip4/127.0.0.1/tcp/${home.p2pPort}/p2p/${home.peerId}`])
  client = new ExchangeClient(p2p, { timeoutMs: 20_000, attemptsMax: 3, breakerThreshold: 5 }, parts)
})

beforeEach(async () => {
  asked = []
  meanwhile = undefined
  const names = { owner: 'alice', name: `site-${++made}` }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ name: names.name, private: false })
  const answer = await fetch(`http://127.0.0.1:${home.apiPort}/api/repos`, { method: 'POST', headers, body })
  expect(answer.status).toBe(201)
  site = (await repositoriesIn(home.data.database)).find(({ name }) => name === names.name) ?? assert.fail()
  const facts = { ...names, description: '', head: MAIN, home: home.peerId, homeId: site.id, homeUrl: undefined }
  mirrorId = await mirror.data.repositories.createMirror(facts)
})

/** The mirror, which begins with what is in its database. */
function follow(limits: Partial<MirrorLimits> = {}): RepositoryMirror {
  return new RepositoryMirror(
    { ...site, id: mirrorId },
    { peer: home.peerId, homeId: site.id },
    {
      ...mirror.data,
      client: {
        stateOf: (peer) => client.stateOf(peer),
        forget: (peer) => client.forget(peer),
        async ask(question) {
          const { after } = question.body() as { readonly after?: unknown }
          asked.push(question.exchange === 'log' ? Number(after) : question.exchange)
          const work = question.exchange === 'pack' ? meanwhile : undefined
          if (work !== undefined) meanwhile = undefined
          await work?.()
          return client.ask(question)
        },
      },
      logger: pino({ level: 'silent' }),
      packBytesMax: 1_000_000,
      limits: { ...MIRROR_LIMITS, entriesMax: 2, ...limits },
    },
  )
}

/** One attempt, with what the home says of itself now. */
async function attempt(copy: RepositoryMirror): Promise<void> {
  copy.learn(home.data.log.end(site.id) ?? assert.fail())
  await copy.sync(new AbortController().signal)
}

async function expectUpToDate(): Promise<void> {
  expect(mirror.data.log.end(mirrorId)).toMatchObject({ ...home.data.log.end(site.id), home: home.peerId })
  expect(await contentsOf(pathIn('mirror'))).toEqual(await contentsOf(pathIn('home')))
  await fsck(pathIn('mirror'))
}

async function push(ref: string, to: MadeObject | undefined, from?: MadeObject): Promise<void> {
  const bytes = to && pack([whole(content), whole(top), whole(to)])
  const request = { port: home.apiPort, repository: `alice/${site.name}`, service: 'git-receive-pack' as const, token }
  const body = pushBody([command(ref, to?.oid ?? NO_OID, from?.oid)], bytes)
  const { lines } = await post({ ...request, body })
  expect(lines[1]).toBe(`ok ${ref}\n`)
}

/** What no ref of the home reaches is gone, as if two weeks had gone by. */
async function prune(): Promise<void> {
  for (const days of [0, 15]) {
    await home.data.housekeeping.runs.prune(site, { aim: 'all', nowMs: Date.now() + days * DAY_MS })
  }
}

const pathIn = (node: 'home' | 'mirror'): string => join(folder.path, node, `repositories/alice/${site.name}.git`)

/** Three states whose objects are gone at the home, and the one it is in. */
async function pushFour(): Promise<void> {
  await push(MAIN, first)
  await push(MAIN, second, first)
  await push(MAIN, third, second)
  await push(MAIN, fourth, third)
  await prune()
}

it('a mirror that is behind by more than it holds at once asks for the objects of the last state alone', async () => {
  await pushFour()
  await push('refs/heads/side', first)
  await attempt(follow())
  expect(asked).toEqual([0, 'pack'])
  await expectUpToDate()
})

it('what was read of the log is not read again when an attempt fails and the node starts anew', async () => {
  await pushFour()
  meanwhile = async () => {
    await push('refs/heads/side', first)
    throw new Error('The link breaks')
  }
  await expect(attempt(follow())).rejects.toThrow('The link breaks')
  expect(mirror.data.log.end(mirrorId)).toMatchObject({ sequence: 0 })
  expect(mirror.data.refs.snapshot(mirrorId).refs).toEqual([])
  await mirror.stop()
  mirror = await start('mirror')
  await attempt(follow())
  expect(asked).toEqual([0, 'pack', 2, 'pack'])
  await expectUpToDate()
})

it.each([1, 6])(
  'a home that goes on while it is asked, and prunes, is caught up with at the next try (%s)',
  async (pushes) => {
    const states = Array.from({ length: pushes }, (_, at) => commit(top.oid, [], `state ${at}`))
    for (const [at, state] of states.entries()) await push(MAIN, state, states[at - 1])
    meanwhile = async () => {
      await push(MAIN, fourth, states.at(-1))
      await prune()
    }
    const copy = follow()
    await expect(attempt(copy)).rejects.toMatchObject({ detail: { code: 'not_found' } })
    expect(mirror.data.refs.snapshot(mirrorId).refs).toEqual([])
    await attempt(copy)
    await expectUpToDate()
  },
)

it('more refs than one step changes are changed in several', async () => {
  const sides = ['a', 'b', 'c', 'd'].map((name) => `refs/heads/${name}`)
  for (const side of sides) await push(side, first)
  await attempt(follow({ refsMax: 3 }))
  expect(asked).toEqual([0, 'pack', 3])
  await expectUpToDate()
})
