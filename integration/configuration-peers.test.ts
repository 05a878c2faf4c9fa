/** Each variable of the peer-to-peer part changes what a node does; real nodes over the loopback. */
import { connect } from 'node:net'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { describe, expect, it } from 'vitest'
import { NodeProcess, type NodeProcessOptions } from './support/node-process.ts'

const PATIENCE = { timeout: 20_000, interval: 50 }
const KEYS = ['11', '22', '33'].map((byte) => byte.repeat(32))

function start(
  number: 0 | 1 | 2,
  environment: Record<string, string> = {},
  waitFor: NodeProcessOptions['waitFor'] = 'ready',
) {
  return NodeProcess.start({ environment: { GUTS_PRIVATE_KEY: KEYS[number], ...environment }, waitFor })
}

const peerIdOf = (node: NodeProcess): string => String(node.lines().find(({ msg }) => msg === 'Started')?.['peer_id'])
const addressOf = (node: NodeProcess): string => `/ip4/127.0.0.1/tcp/${node.ports.p2p}/p2p/${peerIdOf(node)}`

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
