/** SIGTERM during transfers: readiness falls first, what runs may end, what does not end is cut off (DESIGN §8). */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FIRST, Victim } from './bad-input/fixture.ts'
import { fsck } from './support/git.ts'
import { blob, commit, pack, tree, whole } from './support/pack-maker.ts'
import { RawConnection } from './support/raw-connection.ts'
import { encodeRequest } from './support/raw-http.ts'
import { pushesUnderWay } from './support/stored.ts'
import { command, decodeReply, FLUSH, pkt, postHeaders, pushBody, type Service } from './support/wire.ts'

const BIG_BYTES = 24 * 2 ** 20
/** Its check begins while it comes. */
const EARLY_BYTES = 3 * 2 ** 20
const STALLED_MAX = 20
const WAIT = { timeout: 20_000, interval: 25 }

let victim: Victim
let big: string

beforeEach(async () => {
  victim = await Victim.start({
    GUTS_MAX_REQUEST_SIZE_MB: '100',
    GUTS_MAX_INFLATED_SIZE_MB: '100',
    GUTS_MAX_OBJECT_SIZE_MB: '50',
    GUTS_DRAIN_TIMEOUT: '20',
  })
  const made = noise(BIG_BYTES)
  big = made.tip
  await victim.push([command('refs/heads/big', big)], made.bytes)
})
afterEach(() => victim[Symbol.asyncDispose]())

function noise(bytes: number): { tip: string; bytes: Buffer } {
  const file = blob(randomBytes(bytes))
  const root = tree(['100644', 'big', file.oid])
  const tip = commit(root.oid)
  return { tip: tip.oid, bytes: pack([file, root, tip].map((one) => whole(one))) }
}

function request(service: Service, body: Uint8Array): Buffer {
  const headers = { ...postHeaders({ service, token: victim.host.token }), Connection: 'keep-alive' }
  return encodeRequest({ method: 'POST', path: `/git/alice/site.git/${service}`, headers, body })
}

/** A clone of which the beginning is there, and of which no more is read. */
async function beginClone(): Promise<RawConnection> {
  const connection = await RawConnection.open(victim.node.ports.api)
  connection.send(request('git-upload-pack', Buffer.concat([pkt(`want ${big} side-band-64k\n`), FLUSH, pkt('done\n')])))
  await connection.received(() => connection.pending.length > 0)
  connection.stopReading()
  return connection
}

interface Stalled {
  readonly connection: RawConnection
  readonly ref: string
  /** What was not sent. */
  readonly left: Buffer
}

/** Large pushes without their last bytes, until threads have begun to check some: the machine may be too slow for one. */
async function stallUploads(stack: DisposableStack): Promise<Stalled[]> {
  const stalled: Stalled[] = []
  const busy = async (): Promise<number> => (await victim.node.metric('guts_bulkhead_in_flight{bulkhead="push"}')) ?? 0
  while (stalled.length < STALLED_MAX && (stalled.length < 4 || (await busy()) === 0)) {
    const made = noise(EARLY_BYTES)
    const ref = `refs/heads/stalled-${stalled.length}`
    const body = request('git-receive-pack', pushBody([command(ref, made.tip)], made.bytes))
    const connection = stack.use(await RawConnection.open(victim.node.ports.api))
    connection.send(body.subarray(0, -10))
    await connection.flushed()
    stalled.push({ connection, ref, left: body.subarray(-10) })
    await vi.waitFor(() => expect(pushesUnderWay(victim.node.dataDirectory)).toHaveLength(stalled.length), WAIT)
  }
  expect(await busy()).toBeGreaterThan(0)
  return stalled
}

async function draining(): Promise<void> {
  victim.node.signal('SIGTERM')
  await vi.waitFor(async () => expect((await victim.node.readiness())?.status).toBe(503), WAIT)
  await expect(fetch(`${victim.node.origin}/health/live`)).rejects.toThrow()
}

it('a clone and a push that have begun are finished, and only then the node ends', async () => {
  using clone = await beginClone()
  const body = request('git-receive-pack', pushBody([command('refs/heads/drained', FIRST.oid)], pack([])))
  using push = await RawConnection.open(victim.node.ports.api)
  push.send(body.subarray(0, -10))
  await vi.waitFor(() => expect(pushesUnderWay(victim.node.dataDirectory)).toHaveLength(1), WAIT)
  await draining()
  expect(victim.node.running).toBe(true)
  push.send(body.subarray(-10))
  const report = await push.answer()
  expect(decodeReply(report).lines).toEqual(['unpack ok\n', 'ok refs/heads/drained\n'])
  clone.readOn()
  const answer = await clone.answer()
  expect(answer.body.length).toBeGreaterThan(BIG_BYTES)
  expect(answer.body.subarray(-4).toString()).toBe('0000')
  await Promise.all([push.closed(), clone.closed()])
  expect(await victim.node.ended()).toBe(0)
  expect(victim.refsInDatabase()).toContain('refs/heads/drained')
  await fsck(victim.gitDirectory)
})

it('uploads that stand still while they are checked keep nobody waiting, and are finished as well', async () => {
  using stack = new DisposableStack()
  const stalled = await stallUploads(stack)
  for (const name of ['one', 'two', 'three']) {
    const made = noise(EARLY_BYTES)
    await victim.push([command(`refs/heads/${name}`, made.tip)], made.bytes)
  }
  const clone = stack.use(await beginClone())
  clone.readOn()
  expect((await clone.answer()).body.length).toBeGreaterThan(BIG_BYTES)
  expect(pushesUnderWay(victim.node.dataDirectory)).toHaveLength(stalled.length)
  await draining()
  for (const { connection, left, ref } of stalled) {
    connection.send(left)
    expect(decodeReply(await connection.answer()).lines).toEqual(['unpack ok\n', `ok ${ref}\n`])
  }
  expect(await victim.node.ended()).toBe(0)
  expect(victim.refsInDatabase()).toEqual(expect.arrayContaining(stalled.map(({ ref }) => ref)))
  await fsck(victim.gitDirectory)
})

it('a second signal ends the transfers at once, and a push in the making leaves nothing', async () => {
  using clone = await beginClone()
  using stack = new DisposableStack()
  const stalled = await stallUploads(stack)
  await draining()
  victim.node.signal('SIGTERM')
  await victim.node.ended()
  for (const { connection } of stalled) await connection.closed()
  clone.readOn()
  await clone.closed()
  for (const { ref } of stalled) expect(victim.refsInDatabase()).not.toContain(ref)
  await fsck(victim.gitDirectory)
})
