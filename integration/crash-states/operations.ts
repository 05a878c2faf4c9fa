/** Whatever writes to a repository's disk, each as one request on what the ones before left: the rows of the enumeration. */
import { createHash } from 'node:crypto'
import type { RunningNode } from '../../src/node.ts'
import type { RepositoryRow } from '../../src/storage/repositories/pack-rows.ts'
import { Random } from '../support/random.ts'
import type { Client } from './client.ts'
import { repositoriesIn } from './repositories-in.ts'

export interface Operation {
  readonly name: string
  /**
   * What the client needs for it, once.
   *
   * @returns makes the request, and resolves with its acknowledgement; it can be made again after a crash that left the
   *   state before it
   */
  prepare(client: Client, node: RunningNode): Promise<(node: RunningNode) => Promise<void>>
}

/** What a small change of it is sent as a delta against. */
const LINES = Array.from({ length: 200 }, (_, line) => `${createHash('sha1').update(String(line)).digest('hex')}\n`)

/** More than are written one by one: they become one packed-refs file (projection.ts). */
const MANY_REFS = 60
/** A pack of more than 1.3 MiB: the check of one begins when 1 MiB has come (pack-check.ts). */
const LARGE_CHARACTERS = 2 * 2 ** 20
const PACKED_REFS_HEADER_BYTES = '# pack-refs with: peeled fully-peeled sorted \n'.length
const SECTOR_BYTES = 512

export const OPERATIONS: readonly Operation[] = [
  { name: 'creation of a repository', prepare: async (client) => (node) => client.create(node) },
  {
    name: 'first push',
    async prepare(client) {
      await client.git.run('init', '--quiet', '--initial-branch=main')
      return pushing(client, `${await client.commit('first', { 'lines.txt': LINES.join(''), 'a.txt': 'a\n' })}:${MAIN}`)
    },
  },
  {
    name: 'second push',
    prepare: async (client) => pushing(client, `${await client.commit('second', { 'a.txt': 'b\n' })}:${MAIN}`),
  },
  {
    name: 'thin push',
    async prepare(client) {
      const lines = LINES.with(100, 'thin\n').join('')
      return pushing(client, `${await client.commit('thin', { 'lines.txt': lines })}:${MAIN}`)
    },
  },
  { name: 'clone', prepare: async (client) => (node) => client.clone(node) },
  {
    name: 'atomic push of several refs',
    async prepare(client) {
      const oid = await client.commit('atomic', { 'a.txt': 'c\n' })
      await client.git.run('tag', '--annotate', '--message', 'one', 'v1')
      return pushing(client, '--atomic', `${oid}:${MAIN}`, `${oid}:refs/heads/topic/one`, TAG)
    },
  },
  {
    name: 'push of refs to what is there',
    prepare: async (client) => pushing(client, `${MAIN}~1:refs/heads/topic/two`, `${MAIN}~2:${OLD}`),
  },
  { name: 'deletion of a ref', prepare: async (client) => pushing(client, ':refs/heads/topic/two') },
  {
    name: 'a ref where a folder was',
    async prepare(client) {
      const oid = await client.commit('folder', { 'a.txt': 'd\n' })
      return pushing(client, '--atomic', ':refs/heads/topic/one', `${oid}:refs/heads/topic`)
    },
  },
  { name: 'forced push', prepare: async (client) => pushing(client, '--force', `${MAIN}~2:${MAIN}`) },
  {
    name: 'refused push',
    async prepare(client) {
      const blob = await client.git.run('rev-parse', `${MAIN}:a.txt`)
      const tree = (await client.git.try(['mktree'], `100644 blob ${blob}\t.git\n`)).stdout.trim()
      const oid = await client.git.run('commit-tree', '-m', 'refused', tree)
      return (node) => client.pushRefused(node, `${oid}:refs/heads/refused`)
    },
  },
  {
    name: 'push of many refs',
    async prepare(client, node) {
      const oid = await client.commit('many', { 'a.txt': 'e\n' })
      const names = await manyNames(client, node)
      return pushing(client, ...names.map((name) => `${oid}:${name}`))
    },
  },
  { name: 'deletion of a packed ref', prepare: async (client) => pushing(client, `:${OLD}`) },
  { name: 'push onto packed refs', prepare: async (client) => pushing(client, '--force', `${MAIN}:${MAIN}`) },
  { name: 'push of a branch of its own', prepare: async (client) => pushing(client, await aloneFor(client, 'one')) },
  {
    name: 'forced push of another in its place',
    prepare: async (client) => pushing(client, '--force', await aloneFor(client, 'two')),
  },
  // What no ref reaches is put apart.
  { name: 'maintenance', prepare: async () => (node) => prune(node, Date.now()) },
  {
    name: 'bitmaps and the commit-graph',
    prepare: async () => async (node) => node.data.housekeeping.runs.keepHelps(await siteOf(node), true),
  },
  { name: 'deletion of that branch', prepare: async (client) => pushing(client, ':refs/heads/alone') },
  // What was apart is old by now, and what the deletion has left is not.
  { name: 'pruning', prepare: async () => (node) => prune(node, Date.now() + LONGER_THAN_GRACE_MS) },
  // Also what the commit-graph names.
  { name: 'pruning of the rest', prepare: async () => (node) => prune(node, Date.now() + 2 * LONGER_THAN_GRACE_MS) },
  { name: 'push after maintenance', prepare: async (client) => pushing(client, `${MAIN}:refs/heads/later`) },
  {
    name: 'another default branch',
    prepare: async (client) => (node) =>
      client.api(node, 'PATCH', '/api/repos/alice/site', { default_branch: 'topic' }, 200),
  },
  {
    name: 'deletion of the repository',
    prepare: async (client) => (node) => client.api(node, 'DELETE', '/api/repos/alice/site', undefined, 204),
  },
  { name: 'creation in its place', prepare: async (client) => (node) => client.create(node) },
  { name: 'first push in its place', prepare: async (client) => pushing(client, `${MAIN}:${MAIN}`, TAG) },
  {
    // The last one: every state of those after it would hold its bytes.
    name: 'push that is checked while it comes',
    async prepare(client) {
      const oid = await client.commit('large', { 'large.txt': new Random(1).text(LARGE_CHARACTERS) })
      return pushing(client, `${oid}:${MAIN}`)
    },
  },
]

const LONGER_THAN_GRACE_MS = 15 * 24 * 3_600_000

async function prune(node: RunningNode, nowMs: number): Promise<void> {
  await node.data.housekeeping.runs.prune(await siteOf(node), { aim: 'all', nowMs })
}

/** A commit that shares nothing with any other. @returns what to push */
async function aloneFor({ git }: Client, text: string): Promise<string> {
  const blob = (await git.try(['hash-object', '-w', '--stdin'], text)).stdout.trim()
  const tree = (await git.try(['mktree'], `100644 blob ${blob}\t${text}.txt\n`)).stdout.trim()
  return `${await git.run('commit-tree', '-m', text, tree)}:refs/heads/alone`
}

async function siteOf(node: RunningNode): Promise<RepositoryRow> {
  const [site] = await repositoriesIn(node.data.database)
  if (site === undefined) throw new Error('There is no repository')
  return site
}

const MAIN = 'refs/heads/main'
const TAG = 'refs/tags/v1'
/** Its line in packed-refs takes a whole sector, so that its end lies in a sector as before when this is deleted. */
const OLD = `refs/heads/old/${'x'.repeat(227)}/${'y'.repeat(227)}`

/** What the names mean now is pushed whenever it is pushed. */
async function pushing(client: Client, ...args: readonly string[]): Promise<(node: RunningNode) => Promise<void>> {
  const resolved: string[] = []
  for (const arg of args) {
    const [, source, target] = /^([^-:][^:]*)(:.*)?$/.exec(arg) ?? []
    if (source === undefined) resolved.push(arg)
    else resolved.push(`${await client.git.run('rev-parse', source)}${target ?? `:${source}`}`)
  }
  return (node) => client.push(node, ...resolved)
}

/**
 * Of such lengths that in packed-refs the edge of a sector lies within the last line, which is no ref but what the tag
 * before it points to: whoever looks for refs alone does not see that it is torn.
 */
async function manyNames(client: Client, node: RunningNode): Promise<string[]> {
  const names = Array.from({ length: MANY_REFS }, (_, number) => `refs/heads/many/${number}-`)
  const listed = await client.git.run('ls-remote', client.url(node))
  const shown = listed.split('\n').flatMap((line) => line.split('\t').filter((part) => part.startsWith('refs/')))
  const all = [...shown.filter((name) => !name.endsWith('^{}')), ...names]
  const peeledBytes = 42 * shown.filter((name) => name.endsWith('^{}')).length
  const bytes = all.reduce((sum, name) => sum + 42 + name.length, PACKED_REFS_HEADER_BYTES + peeledBytes)
  const missing = (SECTOR_BYTES + 21 - (bytes % SECTOR_BYTES)) % SECTOR_BYTES
  return names.map((name, at) => name + 'x'.repeat(Math.floor((missing + at) / MANY_REFS)))
}
