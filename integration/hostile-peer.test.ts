/** A peer that asks wrongly: it is told why, counted by reason, and the node goes on (I7). */
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decodeAnswer, type Exchange, REQUEST_BYTES_MAX } from '../src/p2p/wire/messages.ts'
import { encodeCbor } from '../src/validation/cbor.ts'
import { NodeHost } from './support/hosts.ts'
import type { NodeProcess } from './support/node-process.ts'
import { addressOf, PATIENCE, startPeer } from './support/peers.ts'

const ID = '01930000-0000-4000-8000-000000000001'
const status = { v: 1, id: ID, type: 'status', traceparent: null, names: null, after: null }
const log = { v: 1, id: ID, type: 'log', traceparent: null, repository: ID, after: 0 }
const oid = new Uint8Array(20).fill(7)
const pack = { ...log, type: 'pack', wants: [oid], haves: [], offset: 0, checksum: null }
const { after: _, ...packWanted } = pack

let node: NodeProcess
let client: Libp2p
let secret: string
let open: string

beforeAll(async () => {
  node = await startPeer(0)
  const host = await NodeHost.on(node)
  const idOf = async (name: string, hidden: boolean): Promise<string> => {
    await host.create(name, { private: hidden })
    return ((await (await node.api(`/api/repos/alice/${name}`, host.token)).json()) as { id: string }).id
  }
  secret = await idOf('secret', true)
  open = await idOf('open', false)
  client = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
})
afterAll(async () => {
  await client.stop()
  await node[Symbol.asyncDispose]()
})

/** @returns the answer, or `closed` where the node hangs up */
async function ask(exchange: Exchange, bytes: Uint8Array): Promise<unknown> {
  const stream = await client.dialProtocol(multiaddr(addressOf(node)), `/guts/${exchange}/1.0.0`)
  const messages = lpStream(stream)
  try {
    await messages.write(bytes)
    return decodeAnswer(exchange, (await messages.read({ signal: AbortSignal.timeout(20_000) })).subarray())
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') throw error
    return 'closed'
  } finally {
    stream.abort(new Error('done'))
  }
}

it.each([
  { name: 'no CBOR', exchange: 'status', bytes: Buffer.from('hello'), reason: 'malformed', code: 'invalid' },
  { name: 'nothing', exchange: 'status', bytes: Buffer.alloc(0), reason: 'malformed', code: 'invalid' },
  { name: 'depth', exchange: 'status', bytes: Buffer.alloc(100_000, 0x81), reason: 'malformed', code: 'invalid' },
  {
    name: 'another version',
    exchange: 'status',
    bytes: encodeCbor({ ...status, v: 7 }),
    reason: 'unsupported_version',
    code: 'unsupported_version',
  },
  {
    name: 'a field too many',
    exchange: 'status',
    bytes: encodeCbor({ ...status, admin: true }),
    reason: 'malformed',
    code: 'invalid',
  },
  {
    name: 'a negative number',
    exchange: 'log',
    bytes: encodeCbor({ ...log, after: -1 }),
    reason: 'malformed',
    code: 'invalid',
  },
  {
    name: 'an id that is none',
    exchange: 'pack',
    bytes: encodeCbor({ ...packWanted, wants: [new Uint8Array(19)] }),
    reason: 'malformed',
    code: 'invalid',
  },
] as const)('$name is refused as $reason', async ({ exchange, bytes, reason, code }) => {
  const counter = `guts_p2p_refusals_total{reason="${reason}"}`
  const before = (await node.metric(counter)) ?? NaN
  expect(await ask(exchange, bytes)).toMatchObject({ type: 'error', code })
  expect(await node.metric(counter)).toBe(before + 1)
})

it('a message over the limit is not even read', async () => {
  const counter = 'guts_p2p_refusals_total{reason="oversize"}'
  expect(await ask('status', Buffer.alloc(REQUEST_BYTES_MAX.status + 1))).toBe('closed')
  expect(await node.metric(counter)).toBe(1)
})

it('what is private and what there is not are the same', async () => {
  const heads = (await ask('status', encodeCbor(status))) as { heads: { name: string }[] }
  expect(heads.heads.map(({ name }) => name)).toEqual(['open'])
  const named = await ask('status', encodeCbor({ ...status, names: ['alice/secret', 'alice/nothing', 'x', ''] }))
  expect(named).toMatchObject({ heads: [], next: null })
  for (const repository of [secret, ID]) {
    const answers = [
      await ask('log', encodeCbor({ ...log, repository })),
      await ask('pack', encodeCbor({ ...packWanted, repository })),
    ]
    for (const answer of answers)
      expect(answer).toMatchObject({ code: 'not_found', message: 'There is no such repository' })
  }
  expect(await ask('pack', encodeCbor({ ...packWanted, repository: open }))).toMatchObject({ code: 'not_found' })
  expect(await ask('log', encodeCbor({ ...log, repository: open, after: 2 ** 40 }))).toMatchObject({ entries: [] })
})

it('who begins many requests and ends none holds few of them', async () => {
  const counter = 'guts_p2p_refusals_total{reason="rate_limit"}'
  const before = (await node.metric(counter)) ?? NaN
  const exchanges = ['status', 'log', 'pack'] as const
  const begun = await Promise.all(
    Array.from({ length: 90 }, async (_one, at) => {
      const stream = await client.dialProtocol(multiaddr(addressOf(node)), `/guts/${exchanges[at % 3]}/1.0.0`)
      if (stream.status === 'open') stream.send(Buffer.from([30]))
      return stream
    }),
  )
  await expect.poll(() => node.metric(counter), PATIENCE).toBe(before + 90 - 64)
  for (const stream of begun) stream.abort(new Error('done'))
  await expect.poll(() => ask('status', encodeCbor(status)), PATIENCE).toMatchObject({ type: 'status' })
})

it('who asks too often is told to wait, and others are not', async () => {
  const answers: unknown[] = []
  // What is no request at all costs as much as one.
  const sent = [encodeCbor(status), Buffer.from('hello')]
  for (let round = 0; round < 65; round++) {
    answers.push(...(await Promise.all(Array.from({ length: 20 }, (_sent, at) => ask('status', sent[at % 2]!)))))
  }
  expect(answers.filter((answer) => (answer as { code?: string }).code === 'busy').length).toBeGreaterThan(0)
  expect(await node.metric('guts_p2p_refusals_total{reason="rate_limit"}')).toBeGreaterThan(0)
  await expect.poll(() => node.readiness(), PATIENCE).toMatchObject({ status: 200 })
  expect(node.lines().filter(({ level }) => level === 'error')).toEqual([])
})

it('each refusal is told as an operation of its own, and who asks too often is told of once', () => {
  const refused = node.lines().filter(({ msg }) => msg === 'A message of a peer was refused')
  for (const { operation } of refused) expect(operation).toMatch(/^p2p_(status|log|pack)$/)
  expect(new Set(refused.map((line) => line['request_id'])).size).toBe(refused.length)
  expect(refused.filter(({ level, reason }) => level === 'warn' && reason === 'rate_limit').length).toBeLessThanOrEqual(
    2,
  )
})
