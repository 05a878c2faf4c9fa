/** `node fuzz/seeds-command.ts`: makes the seeds anew, by real git and from known crashes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { EXIT } from '../harness/suite.ts'
import { Git, temporaryFolder } from '../integration/support/git.ts'
import { blob, delta, pack, refDelta, whole } from '../integration/support/pack-maker.ts'
import { seedsPath } from './engine/corpus.ts'
import { PACK_CRASHES, RECEIVE_PACK_CRASHES, UPLOAD_PACK_CRASHES } from './seeds/crash-inputs.ts'
import { MESSAGE_NAMES, MESSAGES } from './grammar/messages.ts'
import { stepsOf } from './grammar/request-steps.ts'
import { linesOf, programOf, splitLines } from './seeds/programs.ts'
import { type Exchange, record, type Recorder } from './seeds/recorder.ts'
import { KINDS } from './targets/object.fuzz.ts'
import { TARGET_NAMES, targetOf, type TargetName } from './targets.ts'

const HELP = `Usage: node fuzz/seeds-command.ts

Makes fuzz/seeds/TARGET.json anew: what git clients and servers say to each other, objects and
packs that git made, and the inputs that crashed an earlier implementation. Servers cut their
answers into frames as they come, so a few of them differ from run to run.
`

type Seeds = Map<string, Buffer>

/** What the machine's git never says by itself, in lines to be framed. */
const UPLOAD_PACK_LINES = {
  'object-info': '\x05command=object-info\nsession-id=one\n0001\nsize\noid @a\noid @b\n0000\n',
  'sideband-all': '\x05command=fetch\n0001\nsideband-all\nwant @a\nhave @b\n0000\n',
} as const
const RECEIVE_PACK_LINES = {
  'push options': '\x01@0 @a refs/heads/a\0report-status push-options\n0000\none\ntwo=2\n0000\n',
} as const

/** Patterns, and after 0xff a path. */
const SPARSE_PATTERNS = {
  'everything at the top': '/*\n!/*/\n\xfffile',
  'one folder': '/*\n!/*/\n/src/\n\xffsrc/main.c',
  'names by their ends': '*.c\n!test_*.c\n\xffsrc/test_a.c',
  'folders at any depth': 'a/**/b\n**/doc/\ndoc/**\n\xffa/x/y/b',
  'classes of characters': '[a-c][!x][[:digit:]]?\n[]-]*\n\xffdir/abc1x',
  'what is escaped': '\\#a\n\\!b\ntrailing\\ \nspaces   \n\xfftrailing ',
  'lines of another system': '\xef\xbb\xbf# one\r\n*.txt\r\n\xffa.txt',
} as const

async function main(args: readonly string[]): Promise<number> {
  readOptions(args, {})
  using folder = temporaryFolder('seeds')
  const seeds = Object.fromEntries(TARGET_NAMES.map((name) => [name, new Map()])) as Record<TargetName, Seeds>
  const git = await makeRepository(folder.path)
  await recordExchanges(folder.path, git, seeds)
  await addObjects(git, seeds.object)
  await addPacks(git, seeds.pack)
  for (const [at, name] of MESSAGE_NAMES.entries()) {
    seeds.replication.set(name, Buffer.concat([Buffer.of(2 * at), MESSAGES[name]]))
    seeds.replication.set(`${name}, edited`, Buffer.concat([Buffer.of(2 * at + 1), Buffer.from('\x03\x02\x01\x07')]))
  }
  addTexts(seeds['upload-pack'], UPLOAD_PACK_LINES)
  addTexts(seeds['receive-pack'], RECEIVE_PACK_LINES)
  addTexts(seeds.sparse, SPARSE_PATTERNS)
  addHex(seeds['upload-pack'], UPLOAD_PACK_CRASHES)
  addHex(seeds['receive-pack'], RECEIVE_PACK_CRASHES)
  addHex(seeds.pack, PACK_CRASHES)
  for (const name of TARGET_NAMES) {
    const found = Array.from(seeds[name]).filter(([, bytes]) => bytes.length <= targetOf(name).inputBytesMax)
    const text = Object.fromEntries(found.map(([seed, bytes]) => [seed, bytes.toString('base64')]))
    writeFileSync(seedsPath(name), `${JSON.stringify(text, null, 2)}\n`)
    console.log(`${name}: ${found.length} seeds, ${found.reduce((sum, [, bytes]) => sum + bytes.length, 0)} bytes`)
  }
  return EXIT.fine
}

function addTexts(seeds: Seeds, texts: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(texts)) seeds.set(name, Buffer.from(text, 'latin1'))
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

async function recordExchanges(folder: string, git: Git, seeds: Record<TargetName, Seeds>): Promise<void> {
  await new Git(folder).run('clone', '--quiet', '--bare', 'work', 'server.git')
  await using recorder = await record(folder)
  const url = `${recorder.origin}/server.git`
  await new Git(folder).in('server.git').run('config', 'uploadpack.allowFilter', 'true')
  for (const version of ['0', '1', '2']) await recordFetches(folder, version, url, recorder, seeds)
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
    addExchanges(`push of ${name}`, recorder.take(), seeds)
  }
}

async function recordFetches(
  folder: string,
  version: string,
  url: string,
  recorder: Recorder,
  seeds: Record<TargetName, Seeds>,
): Promise<void> {
  const git = new Git(folder, ['-c', `protocol.version=${version}`])
  const fetches = {
    'a clone': ['clone', '--quiet', '--bare', url, `all-${version}.git`],
    'a shallow clone': ['clone', '--quiet', '--bare', '--depth=1', url, `shallow-${version}.git`],
    'a partial clone': ['clone', '--quiet', '--bare', '--filter=blob:none', url, `partial-${version}.git`],
    'a listing': ['ls-remote', '--quiet', url, 'refs/heads/*'],
    'a clone of a branch': [
      'clone',
      '--quiet',
      '--bare',
      '--single-branch',
      '--branch=side',
      url,
      `one-${version}.git`,
    ],
    'a fetch of the rest': ['-C', `one-${version}.git`, 'fetch', '--quiet', url, 'main'],
  }
  for (const [name, args] of Object.entries(fetches)) {
    await git.run(...args)
    addExchanges(`${name}, version ${version}`, recorder.take(), seeds)
  }
}

function addExchanges(what: string, exchanges: readonly Exchange[], seeds: Record<TargetName, Seeds>): void {
  for (const [at, { service, version, request, answer }] of exchanges.entries()) {
    const name = exchanges.length === 1 ? what : `${what}, ${at + 1}`
    const target = seeds[service === 'git-upload-pack' ? 'upload-pack' : 'receive-pack']
    // `@` and the letters after it, as the targets read their first byte.
    const mode = version === '2' && service === 'git-upload-pack' ? 0x44 : 0x40
    target.set(name, Buffer.concat([Buffer.of(mode), request]))
    target.set(`${name}, in lines`, Buffer.concat([Buffer.of(mode + 1), linesOf(request)]))
    if (service === 'git-upload-pack') {
      target.set(`${name}, in steps`, Buffer.concat([Buffer.of(mode + 2), stepsOf(splitLines(request))]))
    }
    seeds['pkt-line'].set(name, request)
    seeds['pkt-line'].set(`answer to ${name}`, answer)
  }
}

async function addObjects(git: Git, seeds: Seeds): Promise<void> {
  const listed = await git.run('rev-list', '--objects', '--all')
  const oids = listed.split('\n').map((line) => line.slice(0, 40))
  for (const oid of [...oids, ...(await git.run('for-each-ref', '--format=%(objectname)', 'refs/tags')).split('\n')]) {
    const type = await git.run('cat-file', '-t', oid)
    if (type === 'blob') continue
    const hex = await hexOf(git, ['cat-file', type, oid])
    add(seeds, `${type} ${oid.slice(0, 8)}`, type, hex)
    if (type !== 'tree') continue
    const lines = (await git.run('ls-tree', oid)).replaceAll(/ \w+ [0-9a-f]{40}\t/g, ' ').replaceAll(/^0/gm, '')
    add(seeds, `tree ${oid.slice(0, 8)} in lines`, 'sorted tree in lines', Buffer.from(lines))
    add(seeds, `tree ${oid.slice(0, 8)} as it is in lines`, 'tree in lines', Buffer.from(lines))
  }
  for (const file of ['gitmodules', 'gitattributes']) {
    add(seeds, file, file, Buffer.from(`${await git.run('show', `main:.${file}`)}\n`))
  }
}

function add(seeds: Seeds, name: string, kind: string, bytes: Buffer): void {
  seeds.set(name, Buffer.concat([Buffer.of(KINDS.indexOf(kind)), bytes]))
}

/** What git prints is read as text: trees have to come another way. */
async function hexOf(git: Git, args: readonly string[]): Promise<Buffer> {
  const hex = await git.run('-c', `alias.hex=!git ${args.join(' ')} | od -An -v -tx1`, 'hex')
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
}

async function addPacks(git: Git, seeds: Seeds): Promise<void> {
  const ways = {
    'deltas by distance': '--delta-base-offset',
    'deltas by name': '--window=20',
    'no deltas': '--depth=0',
  }
  for (const [name, option] of Object.entries(ways)) {
    const made = await hexOf(git, ['pack-objects', '--all', '--stdout', '--quiet', '--window=20', option, '</dev/null'])
    seeds.set(name, Buffer.concat([Buffer.from('@'), made]))
    seeds.set(`${name}, without its checksum`, Buffer.concat([Buffer.from('A'), made.subarray(0, -20)]))
    seeds.set(`${name}, as a program`, Buffer.concat([Buffer.from('B'), programOf(made)]))
  }
  seeds.set('bases behind their deltas', Buffer.concat([Buffer.from('@'), basesBehind()]))
}

/** git writes bases first, which leaves nothing to do once the pack is read. */
function basesBehind(): Buffer {
  const [base, middle, top] = [blob('the base'), blob('the middle'), blob('the top')]
  const toTop = refDelta(middle.oid, delta(middle.data.length, top.data))
  return pack([toTop, refDelta(base.oid, delta(base.data.length, middle.data)), whole(base)])
}

/** Bodies as they are, which the mode `@` means to each target. */
function addHex(seeds: Seeds, inputs: Readonly<Record<string, string>>): void {
  for (const [name, hex] of Object.entries(inputs)) seeds.set(name, Buffer.from(`40${hex}`, 'hex'))
}

await runCommand(HELP, main)
