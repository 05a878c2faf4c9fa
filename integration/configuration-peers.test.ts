/** Each variable of the peer-to-peer part changes what a node does; real nodes over the loopback. */
import { connect } from 'node:net'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { describe, expect, it } from 'vitest'
import { FakeHome, statusReply } from './support/fake-home.ts'
import { NodeProcess, type NodeProcessOptions } from './support/node-process.ts'
import { addMirror, addressOf, peerIdOf, statusOf } from './support/peers.ts'

const PATIENCE = { timeout: 20_000, interval: 50 }
const KEYS = ['11', '22', '33'].map((byte) => byte.repeat(32))

function start(
  number: 0 | 1 | 2,
  environment: Record<string, string> = {},
  waitFor: NodeProcessOptions['waitFor'] = 'ready',
) {
  return NodeProcess.start({ environment: { GUTS_PRIVATE_KEY: KEYS[number], ...environment }, waitFor })
}

describe('GUTS_BOOTSTRAP_PEERS', () => {
  it('are connected to, and readiness demands one of them', async () => {
    await using first = await start(0)
    await using second = await start(1, { GUTS_BOOTSTRAP_PEERS: addressOf(first) })
    expect((await second.readiness())?.body).toMatchObject({ checks: { p2p: { status: 'up', peers: 1 } } })
    expect(await first.metric('guts_p2p_peers_connected')).toBe(1)
    await first.kill()
    await expect
      .poll(() => second.readiness(), PATIENCE)
      .toMatchObject({
        status: 503,
        body: { checks: { p2p: { status: 'down', peers: 0 } } },
      })
    expect(await second.metric('guts_p2p_peers_connected')).toBe(0)
  })
})

describe('GUTS_P2P_MIN_PEERS', () => {
  it('0 is ready alone, whatever the bootstrap peers do', async () => {
    const nobody = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
    await using node = await start(0, { GUTS_BOOTSTRAP_PEERS: nobody, GUTS_P2P_MIN_PEERS: '0' })
    expect((await node.readiness())?.status).toBe(200)
  })

  it('2 is not ready with one peer, and is with two', async () => {
    await using node = await start(0, { GUTS_P2P_MIN_PEERS: '2' }, 'live')
    await expect.poll(() => node.stdout, PATIENCE).toContain('Started')
    await using _second = await start(1, { GUTS_BOOTSTRAP_PEERS: addressOf(node) })
    await expect
      .poll(() => node.readiness(), PATIENCE)
      .toMatchObject({ status: 503, body: { checks: { p2p: { peers: 1 } } } })
    await using _third = await start(2, { GUTS_BOOTSTRAP_PEERS: addressOf(node) })
    await expect
      .poll(() => node.readiness(), PATIENCE)
      .toMatchObject({ status: 200, body: { checks: { p2p: { peers: 2 } } } })
  })
})

describe('GUTS_ALLOWED_PEERS', () => {
  it('keeps everyone else out', async () => {
    await using insider = await start(1)
    await using node = await start(0, { GUTS_ALLOWED_PEERS: peerIdOf(insider) })
    await using outsider = await start(2, { GUTS_BOOTSTRAP_PEERS: addressOf(node), GUTS_P2P_MIN_PEERS: '0' })
    const refusal = { msg: 'Refused a peer that is not on the list', peer: peerIdOf(outsider) }
    await expect.poll(() => node.lines(), PATIENCE).toContainEqual(expect.objectContaining(refusal))
    await using _again = await start(1, { GUTS_BOOTSTRAP_PEERS: addressOf(node) })
    await expect.poll(() => node.metric('guts_p2p_peers_connected'), PATIENCE).toBe(1)
  })
})

describe('GUTS_ANNOUNCE_ADDRS', () => {
  it('is what peers are told', async () => {
    await using node = await start(0, { GUTS_ANNOUNCE_ADDRS: '/dns4/git.example.org/tcp/9000' })
    const client = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() },
    })
    try {
      const told = new Promise<string[]>((resolve) => {
        client.addEventListener('peer:identify', ({ detail }) => resolve(detail.listenAddrs.map(String)))
      })
      await client.dial(multiaddr(addressOf(node)))
      expect(await told).toEqual(['/dns4/git.example.org/tcp/9000'])
    } finally {
      await client.stop()
    }
  })
})

describe('exchanges with a peer that takes requests and never answers', () => {
  const silent = (number: 0 | 1, environment: Record<string, string>) =>
    start(number, { GUTS_P2P_TIMEOUT: '1', GUTS_P2P_SYNC_INTERVAL: '1', GUTS_P2P_MIN_PEERS: '0', ...environment })
  const follow = async (node: NodeProcess): Promise<FakeHome> => {
    const home = await FakeHome.start()
    await addMirror(node, home.address)
    return home
  }
  const opened = 'guts_circuit_breaker_transitions_total{dependency="peer",to="open"}'

  it.each([
    { attempts: 1, retries: 0 },
    { attempts: 3, retries: 2 },
  ])('GUTS_RETRY_MAX_ATTEMPTS=$attempts: so many are on the wire', async ({ attempts, retries }) => {
    await using node = await silent(0, {
      GUTS_RETRY_MAX_ATTEMPTS: String(attempts),
      // The next call is refused: what was counted by then is the first call's.
      GUTS_CIRCUIT_BREAKER_THRESHOLD: String(attempts),
    })
    await using home = await follow(node)
    await expect.poll(() => node.metric(opened), PATIENCE).toBe(1)
    expect(home.asked.status).toBe(attempts)
    // GUTS_P2P_TIMEOUT: each of them was ended by us, and the other side saw it.
    await expect.poll(() => home.resets, PATIENCE).toBe(attempts)
    expect(await node.metric('guts_retries_total{dependency="peer"}')).toBe(retries)
    expect(await node.metric('guts_timeouts_total{operation="peer"}')).toBe(attempts)
  })

  it('GUTS_CIRCUIT_BREAKER_THRESHOLD failures open the circuit, one success after another closes it', async () => {
    await using node = await silent(1, { GUTS_RETRY_MAX_ATTEMPTS: '1', GUTS_CIRCUIT_BREAKER_THRESHOLD: '2' })
    await using home = await follow(node)
    const state = 'guts_circuit_breaker_state{dependency="peer"}'
    await expect.poll(() => node.metric(state), PATIENCE).toBe(2)
    expect(home.asked.status).toBe(2)
    expect((await statusOf(node)).homes[0]).toMatchObject({ circuit: 'open', contact_age_s: null })
    // A mirror that cannot reach its home says so.
    expect(await node.metric('guts_p2p_replication_lag_seconds')).toBeGreaterThan(0)
    // Calls are refused without a stream.
    const refused = 'guts_p2p_replication_failures_total{reason="unreachable"}'
    await expect.poll(() => node.metric(refused), PATIENCE).toBeGreaterThan(0)
    expect(home.asked.status).toBe(2)
    home.responses = { status: statusReply() }
    await expect.poll(() => node.metric(state), PATIENCE).toBe(0)
    for (const to of ['half_open', 'closed'])
      expect(await node.metric(`guts_circuit_breaker_transitions_total{dependency="peer",to="${to}"}`)).toBe(1)
    await expect.poll(() => node.metric('guts_p2p_replication_lag_seconds'), PATIENCE).toBe(0)
    // What the metric shows may be in the log a moment later: lines come through a pipe.
    const changes = (): unknown[] => node.lines().filter(({ to, key }) => to !== undefined && key === home.peerId)
    await expect.poll(() => changes(), PATIENCE).toMatchObject(['open', 'half_open', 'closed'].map((to) => ({ to })))
  })
})

describe('GUTS_P2P_SYNC_INTERVAL', () => {
  it.each([
    { seconds: 1, atLeast: 4 },
    { seconds: 3600, atLeast: 1 },
  ])('$seconds s: a home is asked so often, also when it announces nothing', async ({ seconds, atLeast }) => {
    await using node = await start(0, { GUTS_P2P_SYNC_INTERVAL: String(seconds) })
    await using home = await FakeHome.start({ status: statusReply() })
    await addMirror(node, home.address)
    // A connection is a reason to ask, too: that may be one more.
    await expect.poll(() => home.asked.status, PATIENCE).toBeGreaterThanOrEqual(atLeast)
    if (seconds > 60) expect(home.asked.status).toBeLessThanOrEqual(2)
  })
})

describe('GUTS_P2P_TIMEOUT', () => {
  it('ends an exchange in which the other side says nothing', async () => {
    await using node = await start(0, { GUTS_P2P_TIMEOUT: '1' })
    const socket = connect(node.ports.p2p, '127.0.0.1')
    const closed = new Promise<string>((resolve) => socket.once('close', () => resolve('closed')))
    socket.on('error', () => {})
    socket.resume()
    const tooLate = AbortSignal.timeout(8_000)
    const late = new Promise<string>((resolve) => tooLate.addEventListener('abort', () => resolve('open after 8 s')))
    // With the default of ten seconds it would still be open.
    expect(await Promise.race([closed, late])).toBe('closed')
  })
})
