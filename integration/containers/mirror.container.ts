/** A home and a mirror of it that see each other only through Toxiproxy, and what that does to their link. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type StartedTestContainer, Wait } from 'testcontainers'
import { Toxiproxy, type Proxy } from 'toxiproxy-node-client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.ts'
import { fsck, Git, temporaryFolder } from '../support/git.ts'
import type { Status } from '../support/peers.ts'
import { NodeContainer, P2P_PORT } from './node-container.ts'
import { createNetwork, engine, RunContainer } from './run.ts'

const CONTROL_PORT = 8474
const PATIENCE = { timeout: 120_000, interval: 250 }
const REPOSITORY = 'alice/app'

const stack = new AsyncDisposableStack()
const folder = stack.use(temporaryFolder('mirror-container'))
let home: NodeContainer
let mirror: NodeContainer
let control: Toxiproxy
let link: Proxy
let url: string
const git = new Git(folder.path)

beforeAll(async () => {
  const [homeNetwork, mirrorNetwork] = [stack.use(await createNetwork()), stack.use(await createNetwork())]
  const [controlPort = 0] = await freePorts(1)
  const toxiproxy: StartedTestContainer = await new RunContainer('toxiproxy')
    .withCommand(['toxiproxy-server', '-host=0.0.0.0', `-port=${CONTROL_PORT}`])
    .withExposedPorts({ container: CONTROL_PORT, host: controlPort })
    .withNetworkMode(homeNetwork.name)
    .withNetworkAliases('toxiproxy')
    .withWaitStrategy(Wait.forHttp('/version', CONTROL_PORT))
    .start()
  stack.defer(async () => void (await toxiproxy.stop({ timeout: 0 })))
  await engine('network', 'connect', '--alias', 'link', mirrorNetwork.name, toxiproxy.getId())
  // The one way to the home, also for who was told its address by itself.
  const announced = `/dns4/link/tcp/${P2P_PORT}`
  home = stack.use(
    await NodeContainer.start({
      networks: [homeNetwork.name],
      alias: 'home',
      environment: { GUTS_PRIVATE_KEY: '11'.repeat(32), GUTS_ANNOUNCE_ADDRS: announced },
    }),
  )
  control = new Toxiproxy(`http://127.0.0.1:${controlPort}`)
  link = await control.createProxy({
    name: 'link',
    listen: `0.0.0.0:${P2P_PORT}`,
    upstream: `home:${P2P_PORT}`,
  })
  const { peer_id: homeId } = await home.gutsJson<Status>('status')
  const address = `${announced}/p2p/${homeId}`
  mirror = stack.use(
    await NodeContainer.start({
      networks: [mirrorNetwork.name],
      alias: 'mirror',
      environment: { GUTS_PRIVATE_KEY: '22'.repeat(32), GUTS_BOOTSTRAP_PEERS: address, GUTS_P2P_SYNC_INTERVAL: '1' },
    }),
  )
  await mirror.guts('mirror', 'add', address)
  url = await home.createRepository('alice', 'app')
  await git.run('init', '--quiet', '--initial-branch=main')
})
afterAll(() => stack.disposeAsync())

/** Of the link, what it should be: up, and with nothing in its way. */
const heal = (): Promise<unknown> => control.reset()
afterEach(heal)

async function push(message: string, fileBytes = 100): Promise<void> {
  writeFileSync(join(folder.path, 'file'), Buffer.alloc(fileBytes, message))
  await git.commit(message)
  await git.run('push', '--quiet', url, 'main', `main:refs/tags/${message}`)
}

/** Refused with nothing but 503 until then. */
async function pushWhenTaken(message: string): Promise<void> {
  await git.commit(message)
  await expect
    .poll(async () => {
      const { code, stderr } = await git.try(['push', '--quiet', url, 'main', `main:refs/tags/${message}`])
      expect(code === 0 || stderr.includes('503') ? '' : stderr).toBe('')
      return code
    }, PATIENCE)
    .toBe(0)
}

/** What anybody's git sees there; nothing where the repository is not. */
async function refsOf(node: NodeContainer): Promise<string> {
  const { stdout } = await new Git(folder.path).try(['ls-remote', `${node.origin}/git/${REPOSITORY}`])
  return stdout
}

const refsOfMirror = (): Promise<string> => refsOf(mirror)

async function expectConvergence(): Promise<void> {
  await expect.poll(refsOfMirror, PATIENCE).toBe(await refsOf(home))
  using clone = temporaryFolder('mirror-clone')
  await new Git(clone.path).run('clone', '--quiet', '--mirror', `${mirror.origin}/git/${REPOSITORY}`, 'app.git')
  await fsck(join(clone.path, 'app.git'))
  // It may be told of the last entry a moment before it says that nothing is missing.
  await expect.poll(() => metric(mirror, 'guts_p2p_replication_lag_seconds'), PATIENCE).toBe(0)
  await expect.poll(() => mirror.readiness(), PATIENCE).toBe(200)
}

async function metric(node: NodeContainer, name: string): Promise<number> {
  const text = await node.metrics()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

it('a mirror shows what is pushed to its home', async () => {
  await push('first')
  await expectConvergence()
  expect(await refsOfMirror()).toContain('refs/tags/first')
})

describe('a mirror whose link to its home', () => {
  it('is cut shows what it had, is not ready, and says how far it lags; healed, it catches up', async () => {
    const before = await refsOfMirror()
    await link.update({ enabled: false, listen: link.listen, upstream: link.upstream })
    await expect.poll(() => metric(mirror, 'guts_p2p_peers_connected'), PATIENCE).toBe(0)
    await push('while-cut')
    await expect.poll(() => mirror.readiness(), PATIENCE).toBe(503)
    expect(await refsOfMirror()).toBe(before)
    await expect.poll(() => metric(mirror, 'guts_p2p_replication_lag_seconds'), PATIENCE).not.toBe(0)
    expect(await home.readiness()).toBe(200)
    await heal()
    await expectConvergence()
  })

  it('is slow and late catches up all the same', async () => {
    await link.addToxic({
      name: 'late',
      type: 'latency',
      stream: 'downstream',
      toxicity: 1,
      attributes: { latency: 150, jitter: 50 },
    })
    await link.addToxic({
      name: 'slow',
      type: 'bandwidth',
      stream: 'downstream',
      toxicity: 1,
      attributes: { rate: 200 },
    })
    await link.addToxic({
      name: 'sliced',
      type: 'slicer',
      stream: 'downstream',
      toxicity: 1,
      attributes: { average_size: 700, size_variation: 600, delay: 0 },
    })
    await push('over-a-slow-link', 3_000_000)
    await expectConvergence()
  })

  it('is reset in the middle of what is sent begins again', async () => {
    const resets = {
      name: 'reset',
      type: 'limit_data',
      stream: 'downstream',
      toxicity: 1,
      attributes: { bytes: 20_000 },
    } as const
    await link.addToxic(resets)
    const before = await refsOfMirror()
    writeFileSync(join(folder.path, 'random'), crypto.getRandomValues(new Uint8Array(60_000)))
    await push('cut-off')
    const connections = () => metric(mirror, 'guts_p2p_peers_connected')
    await expect.poll(connections, PATIENCE).toBe(0)
    expect(await refsOfMirror()).toBe(before)
    await heal()
    await expectConvergence()
  })

  it('takes everything and answers nothing is given up, and used again when it is alive', async () => {
    await link.addToxic({
      name: 'hole',
      type: 'timeout',
      stream: 'downstream',
      toxicity: 1,
      attributes: { timeout: 0 },
    })
    await expect.poll(() => metric(mirror, 'guts_p2p_peers_connected'), PATIENCE).toBe(0)
    await push('into-the-hole')
    await heal()
    await expectConvergence()
  })
})

describe('a mirror whose home', () => {
  it('is killed goes on serving, and follows when it is back', async () => {
    await push('before-the-kill')
    await expectConvergence()
    const before = await refsOfMirror()
    await engine('kill', '--signal', 'KILL', home.id)
    await expect.poll(() => metric(mirror, 'guts_p2p_peers_connected'), PATIENCE).toBe(0)
    expect(await refsOfMirror()).toBe(before)
    await engine('start', home.id)
    await expect.poll(() => home.readiness(), PATIENCE).toBe(200)
    await push('after-the-kill')
    await expectConvergence()
  })

  it('hangs goes on serving, and follows when it is over', async () => {
    await engine('pause', home.id)
    try {
      await expect.poll(() => metric(mirror, 'guts_p2p_peers_connected'), PATIENCE).toBe(0)
      expect(await refsOfMirror()).not.toBe('')
    } finally {
      await engine('unpause', home.id)
    }
    // A node that hung has been late, and sheds load until it is not: it says so, and people try again.
    await pushWhenTaken('after-the-pause')
    await expectConvergence()
  })
})
