/** What real git says and writes, for seeds: its clients and servers in talk, objects, packs. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Git, temporaryFolder } from '../../integration/support/git.ts'
import { recordFixedExchanges } from './fixed-exchanges.ts'
import { type Exchange, record, type Recorder } from './recorder.ts'
import { type Stores, writeStores } from './stores.ts'

export interface NamedBytes {
  readonly name: string
  readonly bytes: Buffer
}

export interface NamedExchange extends Exchange {
  readonly name: string
}

export interface GitObject extends NamedBytes {
  readonly type: 'commit' | 'tree' | 'tag'
  /** Of a tree: its modes and names in lines. */
  readonly listing: string | undefined
}

export interface GitMaterial extends Stores {
  readonly exchanges: readonly NamedExchange[]
  /** With the repository of `grammar/fixed-repository.ts`. */
  readonly fixed: readonly NamedExchange[]
  readonly objects: readonly GitObject[]
  /** Named without their dot. */
  readonly files: readonly NamedBytes[]
  readonly packs: readonly NamedBytes[]
}

/** Servers cut their answers into frames as they come, so a few exchanges differ from run to run. */
export async function makeMaterial(): Promise<GitMaterial> {
  using folder = temporaryFolder('seeds')
  const git = await makeRepository(folder.path)
  const exchanges = await recordExchanges(folder.path, git)
  const files = ['gitmodules', 'gitattributes'].map(async (name) => ({
    name,
    bytes: Buffer.from(`${await git.run('show', `main:.${name}`)}\n`),
  }))
  return {
    exchanges,
    fixed: await recordFixedExchanges(folder.path),
    objects: await readObjects(git),
    files: await Promise.all(files),
    packs: await makePacks(git),
    ...(await writeStores(folder.path)),
  }
}

async function makeRepository(folder: string): Promise<Git> {
  await new Git(folder).run('init', '--quiet', '--initial-branch=main', 'work')
  const git = new Git(folder).in('work')
  const write = (path: string, text: string): void => {
    mkdirSync(join(git.folder, path, '..'), { recursive: true })
    writeFileSync(join(git.folder, path), text)
  }
  write('read.me', `${'a line that stays\n'.repeat(30)}the end\n`)
  write('folder/deep/a', 'a\n')
  write('.gitattributes', '*.bin binary\n*.txt text eol=lf\n')
  write('.gitmodules', '[submodule "lib"]\n\tpath = lib\n\turl = https://example.org/lib.git\n\tupdate = rebase\n')
  await git.commit('one')
  await git.run('tag', '-a', '-m', 'the first', 'v1')
  write('read.me', `${'a line that stays\n'.repeat(30)}another end\n`)
  write('folder/b', 'é\n')
  await git.commit('two\n\nWith a body.')
  await git.run('branch', 'side', 'HEAD~1')
  await git.run('checkout', '--quiet', 'side')
  write('folder/c', `${'a line that stays\n'.repeat(30)}a third end\n`)
  await git.commit('three')
  await git.run('checkout', '--quiet', 'main')
  await git.run('merge', '--quiet', '--no-ff', '-m', 'four', 'side')
  await git.run('tag', '-a', '-m', 'of a tag', 'v2', 'v1')
  return git
}

async function recordExchanges(folder: string, git: Git): Promise<NamedExchange[]> {
  await new Git(folder).run('clone', '--quiet', '--bare', 'work', 'server.git')
  await using recorder = await record(folder)
  const url = `${recorder.origin}/server.git`
  await new Git(folder).in('server.git').run('config', 'uploadpack.allowFilter', 'true')
  const exchanges: NamedExchange[] = []
  for (const version of ['0', '1', '2']) exchanges.push(...(await recordFetches(folder, version, url, recorder)))
  const pushes = {
    'a new branch': ['main~1:refs/heads/new'],
    'two branches at once': ['--atomic', 'main:refs/heads/other', 'side:refs/heads/third'],
    'a change and a deletion': ['--force', 'side:refs/heads/new', ':refs/heads/other'],
    'a tag': ['v3'],
  }
  await git.run('commit', '--quiet', '--allow-empty', '-m', 'five')
  await git.run('tag', '-a', '-m', 'of the fifth', 'v3')
  for (const [name, refs] of Object.entries(pushes)) {
    await git.run('push', '--quiet', url, ...refs)
    exchanges.push(...named(`push of ${name}`, recorder.take()))
  }
  return exchanges
}

async function recordFetches(
  folder: string,
  version: string,
  url: string,
  recorder: Recorder,
): Promise<NamedExchange[]> {
  const git = new Git(folder, ['-c', `protocol.version=${version}`])
  const one = `one-${version}.git`
  const fetches = {
    'a clone': ['clone', '--quiet', '--bare', url, `all-${version}.git`],
    'a shallow clone': ['clone', '--quiet', '--bare', '--depth=1', url, `shallow-${version}.git`],
    'a partial clone': ['clone', '--quiet', '--bare', '--filter=blob:none', url, `partial-${version}.git`],
    'a listing': ['ls-remote', '--quiet', url, 'refs/heads/*'],
    'a clone of a branch': ['clone', '--quiet', '--bare', '--single-branch', '--branch=side', url, one],
    'a fetch of the rest': ['-C', one, 'fetch', '--quiet', url, 'main'],
  }
  const exchanges: NamedExchange[] = []
  for (const [name, args] of Object.entries(fetches)) {
    await git.run(...args)
    exchanges.push(...named(`${name}, version ${version}`, recorder.take()))
  }
  return exchanges
}

function named(what: string, exchanges: readonly Exchange[]): NamedExchange[] {
  return exchanges.map((one, at) => ({ ...one, name: exchanges.length === 1 ? what : `${what}, ${at + 1}` }))
}

async function readObjects(git: Git): Promise<GitObject[]> {
  const listed = await git.run('rev-list', '--objects', '--all')
  const tags = await git.run('for-each-ref', '--format=%(objectname)', 'refs/tags')
  const objects: GitObject[] = []
  for (const oid of [...listed.split('\n').map((line) => line.slice(0, 40)), ...tags.split('\n')]) {
    const type = (await git.run('cat-file', '-t', oid)) as GitObject['type'] | 'blob'
    if (type === 'blob') continue
    const bytes = await bytesOf(git, ['cat-file', type, oid])
    const listing = type === 'tree' ? await listingOf(git, oid) : undefined
    objects.push({ name: `${type} ${oid.slice(0, 8)}`, type, bytes, listing })
  }
  return objects
}

async function listingOf(git: Git, tree: string): Promise<string> {
  return (await git.run('ls-tree', tree)).replaceAll(/ \w+ [0-9a-f]{40}\t/g, ' ').replaceAll(/^0/gm, '')
}

/** What git prints is read as text: trees and packs have to come another way. */
async function bytesOf(git: Git, args: readonly string[]): Promise<Buffer> {
  const hex = await git.run('-c', `alias.hex=!git ${args.join(' ')} | od -An -v -tx1`, 'hex')
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
}

async function makePacks(git: Git): Promise<NamedBytes[]> {
  const ways = {
    'deltas by distance': '--delta-base-offset',
    'deltas by name': '--window=20',
    'no deltas': '--depth=0',
  }
  const packs: NamedBytes[] = []
  for (const [name, option] of Object.entries(ways)) {
    const command = ['pack-objects', '--all', '--stdout', '--quiet', '--window=20', option, '</dev/null']
    packs.push({ name, bytes: await bytesOf(git, command) })
  }
  return packs
}
