/** Nodes that mirror each other: real processes, real git, the loopback between them (DESIGN §7). */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { contentsOf, fsck, Git, temporaryFolder } from './support/git.ts'
import { type NodeProcess } from './support/node-process.ts'
import { NodeHost } from './support/hosts.ts'
import {
  addMirror,
  addressOf,
  expectSameRefs,
  PATIENCE,
  prepareHome,
  refsOn,
  startPeer,
  statusOf,
} from './support/peers.ts'

const REPOSITORY = 'alice/app'

/** The refs and objects of a clone, and that git finds nothing wrong with it. */
async function cloneFrom(node: NodeProcess, folder: string, name: string): Promise<unknown> {
  await new Git(folder).run('clone', '--quiet', '--mirror', `${node.origin}/git/${REPOSITORY}`, name)
  await fsck(join(folder, name))
  return contentsOf(join(folder, name))
}

it('two mirrors show what is pushed to their home, whatever is done to its refs', async () => {
  using folder = temporaryFolder('replication')
  await using home = await startPeer(0)
  await using first = await startPeer(1)
  await using second = await startPeer(2)
  const { git, url } = await prepareHome(home, folder.path)
  // Before there is anything, and with the repository named; the other one takes all there is.
  await addMirror(first, addressOf(home), REPOSITORY)
  await addMirror(second, addressOf(home))
  const same = (): Promise<void> => expectSameRefs({ home, mirrors: [first, second] }, REPOSITORY, folder.path)

  writeFileSync(join(git.folder, 'a'), 'a\n'.repeat(1_000))
  await git.commit('first')
  await git.run('push', '--quiet', url, 'main')
  await same()
  await git.run('tag', '-a', '-m', 'one', 'v1')
  await git.run('checkout', '--quiet', '-b', 'topic')
  writeFileSync(join(git.folder, 'b'), 'b')
  await git.commit('second')
  await git.run('push', '--quiet', '--atomic', url, 'topic', 'v1', 'main:refs/notes/x')
  await same()
  // History is rewritten, a branch goes and its name becomes a folder, a tag moves.
  await git.run('commit', '--quiet', '--amend', '-m', 'another')
  await git.run('push', '--quiet', url, '+topic', ':refs/notes/x')
  await git.run('push', '--quiet', url, ':refs/tags/v1', 'topic:refs/heads/deep/er')
  await git.run('push', '--quiet', url, ':refs/heads/deep/er')
  await git.run('push', '--quiet', url, 'topic:refs/heads/deep')
  await same()
  const clones = await Promise.all([home, first, second].map((node, at) => cloneFrom(node, folder.path, `clone-${at}`)))
  expect(clones[1]).toEqual(clones[0])
  expect(clones[2]).toEqual(clones[0])
  expect(await home.metric('guts_p2p_messages_sent_total{type="announce"}')).toBeGreaterThan(0)
  for (const mirror of [first, second]) {
    for (const type of ['announce', 'log', 'pack', 'status']) {
      expect(await mirror.metric(`guts_p2p_messages_received_total{type="${type}"}`), type).toBeGreaterThan(0)
    }
    expect(await mirror.metric('guts_p2p_message_latency_seconds_count{type="log"}')).toBeGreaterThan(0)
    expect(await mirror.metric('guts_p2p_replication_lag_seconds')).toBe(0)
    const { homes } = await statusOf(mirror)
    const sequence = homes[0]?.mirrors[0]?.sequence
    expect(homes).toMatchObject([{ last_error: null, mirrors: [{ repository: REPOSITORY, known_sequence: sequence }] }])
  }
})

it('what HEAD points to, what is said of it, and whether it is public follow too', async () => {
  using folder = temporaryFolder('replication')
  await using home = await startPeer(0)
  await using mirror = await startPeer(1, { GUTS_P2P_SYNC_INTERVAL: '1' })
  const { host, git, url } = await prepareHome(home, folder.path)
  await git.commit('first')
  await git.run('push', '--quiet', url, 'main:trunk', 'main:other')
  await addMirror(mirror, addressOf(home))
  await expectSameRefs({ home, mirrors: [mirror] }, REPOSITORY, folder.path)
  const change = (body: object): Promise<Response> =>
    home.api(`/api/repos/${REPOSITORY}`, host.token, { method: 'PATCH', body: JSON.stringify(body) })
  const shown = async (): Promise<unknown> => (await mirror.api(`/api/repos/${REPOSITORY}`)).json()

  expect((await change({ default_branch: 'other', description: 'What it is' })).status).toBe(200)
  await expect
    .poll(shown, PATIENCE)
    .toMatchObject({ default_branch: 'other', description: 'What it is', mirror_of: { url: null } })
  expect((await change({ private: true })).status).toBe(200)
  await expect.poll(shown, PATIENCE).toMatchObject({ error: 'not_found' })
  expect(await refsOn(mirror, REPOSITORY, folder.path)).toContain('none:')
  expect((await change({ private: false })).status).toBe(200)
  await expectSameRefs({ home, mirrors: [mirror] }, REPOSITORY, folder.path)
})

it('mirrors catch up with what happened while they, or their home, were away', async () => {
  using folder = temporaryFolder('replication')
  using data = temporaryFolder('data')
  const stack = new AsyncDisposableStack()
  await using _all = stack
  const nodes: NodeProcess[] = []
  // At the same address each time, as a service has one.
  const start = async (number: number): Promise<NodeProcess> => {
    const { ports } = nodes[number] ?? {}
    const dataDirectory = join(data.path, String(number))
    return stack.use(await startPeer(number, {}, { dataDirectory, ...(ports && { ports }) }))
  }
  for (const number of [0, 1, 2]) nodes[number] = await start(number)
  const [home, first, second] = nodes as [NodeProcess, NodeProcess, NodeProcess]
  const { git, url } = await prepareHome(home, folder.path)
  for (const mirror of [first, second]) await addMirror(mirror, addressOf(home))
  const push = async (message: string): Promise<void> => {
    await git.commit(message)
    await git.run('push', '--quiet', url, 'main')
  }
  const wanted = (): Promise<string> => git.run('rev-parse', 'HEAD')
  const headOf = async (number: number): Promise<string> => {
    const { stdout } = await git.try(['ls-remote', `${nodes[number]?.origin}/git/${REPOSITORY}`, 'refs/heads/main'])
    return stdout.split('\t')[0] ?? ''
  }
  const converged = async (): Promise<void> => {
    const head = await wanted()
    for (const number of [1, 2]) await expect.poll(() => headOf(number), PATIENCE).toBe(head)
  }
  await push('one')
  await converged()
  // A mirror is away, then is killed while others go on; then the home; then all, and they come in another order.
  await first.stop()
  await push('two')
  await second.kill()
  await push('three')
  await start(1)
  await start(2)
  await converged()
  await push('four')
  await home.kill()
  const again = await start(0)
  await push('five')
  await converged()
  await again.stop()
  await expect.poll(() => headOf(1), PATIENCE).toBe(await wanted())
})

it('a push to a mirror is refused with where to push instead', async () => {
  using folder = temporaryFolder('replication')
  await using home = await startPeer(0, { GUTS_PUBLIC_URL: 'https://git.example.org' })
  await using mirror = await startPeer(1)
  const { git, url } = await prepareHome(home, folder.path)
  await git.commit('first')
  await git.run('push', '--quiet', url, 'main')
  await addMirror(mirror, addressOf(home))
  await expectSameRefs({ home, mirrors: [mirror] }, REPOSITORY, folder.path)
  // On the mirror the name of the owner is one like any other: whoever comes is told the same.
  const stranger = await NodeHost.on(mirror, 'bobby')
  const there = `http://${stranger.username}:${stranger.token}@127.0.0.1:${mirror.ports.api}/git/${REPOSITORY}`
  const { code, stderr } = await git.try(['push', there, 'main:refs/heads/new'])
  expect(code).not.toBe(0)
  expect(stderr).toContain(`its home takes changes: https://git.example.org/git/${REPOSITORY}`)
  const before = await refsOn(home, REPOSITORY, folder.path)
  expect(await refsOn(mirror, REPOSITORY, folder.path)).toBe(before)
})

it('names that are taken are told, and keep nothing else from being mirrored', async () => {
  using folder = temporaryFolder('replication')
  await using home = await startPeer(0)
  await using mirror = await startPeer(1)
  const { host, git, url } = await prepareHome(home, folder.path)
  await host.create('other', { private: false })
  const own = await NodeHost.on(mirror)
  await own.create('app', { private: false })
  await git.commit('first')
  await git.run('push', '--quiet', url, 'main')
  await git.run('push', '--quiet', host.url('other'), 'main')
  await addMirror(mirror, addressOf(home))
  await expectSameRefs({ home, mirrors: [mirror] }, 'alice/other', folder.path)
  await expect
    .poll(async () => (await statusOf(mirror)).homes[0]?.last_error, PATIENCE)
    .toContain('alice/app is another')
  expect(await refsOn(mirror, REPOSITORY, folder.path)).toBe('')
  // Its owner makes room.
  expect((await mirror.api(`/api/repos/${REPOSITORY}`, own.token, { method: 'DELETE' })).status).toBe(204)
  await expectSameRefs({ home, mirrors: [mirror] }, REPOSITORY, folder.path)
})

it('private repositories are told to nobody', async () => {
  using folder = temporaryFolder('replication')
  await using home = await startPeer(0)
  await using mirror = await startPeer(1, { GUTS_P2P_SYNC_INTERVAL: '1' })
  const { host, git, url } = await prepareHome(home, folder.path)
  await host.create('secret', { private: true })
  await git.commit('first')
  await git.run('push', '--quiet', host.url('secret'), 'main')
  await git.run('push', '--quiet', url, 'main')
  await addMirror(mirror, addressOf(home))
  await addMirror(mirror, addressOf(home), 'alice/secret')
  await expectSameRefs({ home, mirrors: [mirror] }, REPOSITORY, folder.path)
  expect(await refsOn(mirror, 'alice/secret', folder.path)).toContain('none:')
  expect((await statusOf(mirror)).homes[0]?.mirrors).toHaveLength(1)
  expect(JSON.stringify(mirror.lines())).not.toContain('alice/secret"')
})
