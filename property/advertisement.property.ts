/** Refs as we write them to the disk and tell them to clients: what C git reads there, and tells. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import { decodeWhole } from '../fuzz/oracles/lines.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { DELIM, encodePktLine, FLUSH } from '../src/git/pkt-line.ts'
import {
  type AdvertisedRef,
  type AdvertisedRefs,
  encodeAdvertisement,
  encodeLsRefs,
} from '../src/git/protocol/advertisement.ts'
import { prefixMatcher } from '../src/git/protocol/ref-prefixes.ts'
import { V2RequestParser } from '../src/git/protocol/v2-request.ts'
import { compareRefNames } from '../src/git/ref-name.ts'
import { diskFileSystem } from '../src/storage/file-system.ts'
import { projectAll, projectChanges, projectHead, readProjection } from '../src/storage/repositories/projection.ts'
import { record } from './arbitraries.ts'
import { run } from './histories.ts'
import { prop } from './prop.ts'

const letters = fc.constantFrom('a', 'b', 'A', '-', 'é', '\uff5e', '\u{1f600}')
const nameEnd = fc.array(fc.string({ unit: letters, minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 })
const prefixText = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é', '\u{1f600}', '\uffff'), maxLength: 4 })

prop([fc.array(prefixText, { maxLength: 6 }), fc.array(prefixText, { maxLength: 6 })])(
  'a name passes where it begins with one of the prefixes, or there is none',
  (prefixes, names) => {
    const passes = prefixMatcher(prefixes)
    for (const name of [...names, ...prefixes]) {
      const expected = prefixes.length === 0 || prefixes.some((one) => name.startsWith(one))
      assert.equal(passes(name), expected, JSON.stringify(name))
    }
  },
)

const folder = temporaryFolder('advertisement')
const template = join(folder.path, 'template.git')
/** What may be pointed to, with what that finally points to: two commits, a tag, a tag of that, a tag of a file. */
const targets: Omit<AdvertisedRef, 'name'>[] = []
beforeAll(() => {
  run(folder.path, ['init', '--quiet', '--bare', '--initial-branch=main', 'template.git'])
  const git = (args: readonly string[], input = ''): string => run(template, args, input).toString().trim()
  const who = ['-c', 'user.name=A', '-c', 'user.email=a@example.org']
  const tree = git(['mktree'])
  const file = git(['hash-object', '-w', '--stdin'], 'a file')
  const tag = (oid: string, type: string): string =>
    git(['mktag'], `object ${oid}\ntype ${type}\ntag t\ntagger A <a@example.org> 1 +0000\n\nt\n`)
  const commits = ['1', '2'].map((message) => git([...who, 'commit-tree', '-m', message, tree]))
  const [first = ''] = commits
  const outer = tag(tag(first, 'commit'), 'tag')
  targets.push(...commits.map((oid) => ({ oid, peeled: null })))
  targets.push({ oid: tag(first, 'commit'), peeled: first }, { oid: outer, peeled: first })
  targets.push({ oid: tag(file, 'blob'), peeled: file }, { oid: file, peeled: null })
})
afterAll(() => folder[Symbol.dispose]())

interface Named {
  readonly name: string
  readonly target: number
}
const COMMITS = 2
const someRefs = fc.array(
  fc.oneof(
    fc.tuple(nameEnd, fc.nat(COMMITS - 1)).map(([end, target]) => ({ name: `refs/heads/${end.join('/')}`, target })),
    fc.tuple(nameEnd, fc.nat(5)).map(([end, target]) => ({ name: `refs/tags/${end.join('/')}`, target })),
  ),
  { maxLength: 12 },
)
/** More than are written one by one. */
const manyRefs = fc
  .integer({ min: 49, max: 53 })
  .map((count) => Array.from({ length: count }, (_, at): Named => ({ name: `refs/tags/n${at}`, target: at % 6 })))

/** Those of them that can be there together. */
function together(all: readonly Named[]): Named[] {
  const kept = new Map<string, Named>()
  for (const one of all) {
    const isInTheWay = Array.from(kept.keys()).some(
      (other) => other.startsWith(`${one.name}/`) || one.name.startsWith(`${other}/`),
    )
    if (!isInTheWay) kept.set(one.name, one)
  }
  return [...kept.values()]
}

function refsOf(all: readonly Named[], head: number): AdvertisedRefs {
  const refs = all
    .map(({ name, target }): AdvertisedRef => ({ name, ...(targets[target] as Omit<AdvertisedRef, 'name'>) }))
    .sort((a, b) => compareRefNames(a.name, b.name))
  const branches = ['refs/heads/none', ...refs.flatMap(({ name }) => (name.startsWith('refs/heads/') ? name : []))]
  return { head: branches[head % branches.length] ?? '', refs, byName: new Map(refs.map((one) => [one.name, one])) }
}

/** Some refs first, all of them together; then others, as one push changes them. */
async function write(path: string, before: AdvertisedRefs, after: AdvertisedRefs): Promise<void> {
  await projectAll(diskFileSystem, path, before.refs)
  const gone = before.refs
    .filter(({ name }) => !after.byName.has(name))
    .map(({ name }) => ({ name, newOid: undefined }))
  const made = after.refs.filter(({ name, oid }) => before.byName.get(name)?.oid !== oid)
  const changes = [...gone, ...made.map(({ name, oid }) => ({ name, newOid: oid }))]
  await projectChanges(diskFileSystem, path, changes, async () => after.refs)
  await projectHead(diskFileSystem, path, after.head)
}

function ask(path: string, args: readonly string[], version: string, input: Buffer = Buffer.alloc(0)): Buffer {
  const env = { PATH: process.env['PATH'] ?? '', GIT_PROTOCOL: `version=${version}`, GIT_CONFIG_NOSYSTEM: '1' }
  return spawnSync('git', [...args, path], { input, env }).stdout
}

/** Lines as text, without what each server says of itself but for where HEAD points to. */
function listingOf(bytes: Buffer): string[] {
  const lines = decodeWhole(bytes).map((line) => (line.type === 'data' ? line.payload.toString() : line.type))
  // Where there is no ref, upload-pack says what it can do from git 2.41 on; the client reads both.
  const real = lines.filter((line) => !line.includes('capabilities^{}'))
  return real.map((line) => line.replace(/\0.*/s, / symref=HEAD:[^ \n]+/.exec(line)?.[0] ?? '').trimEnd())
}

const SPEAKER = { agent: 'guts/1', sessionId: '' }
const WORDS = ['peel', 'symrefs', 'unborn']
const question = record({
  words: fc.subarray(WORDS),
  prefixes: fc.array(fc.tuple(fc.nat(), fc.nat(20)), { maxLength: 3 }),
})

prop(
  [fc.oneof({ weight: 4, arbitrary: someRefs }, manyRefs), someRefs, fc.nat(), fc.array(question, { maxLength: 3 })],
  {
    numRuns: 30,
  },
)('refs are told as C git tells what it reads of them where we wrote them', async (earlier, later, head, questions) => {
  const before = refsOf(together(earlier), 0)
  const kept = earlier.filter((_, at) => at % 3 > 0)
  const after = refsOf(together([...later, ...kept]), head)
  const path = mkdtempSync(join(folder.path, 'repository-'))
  try {
    cpSync(template, path, { recursive: true })
    await write(path, before, after)
    const read = await readProjection(path)
    assert.deepEqual(read, { head: after.head, refs: new Map(after.refs.map(({ name, oid }) => [name, oid])) })
    for (const service of ['upload-pack', 'receive-pack'] as const) {
      const theirs = listingOf(ask(path, [service, '--http-backend-info-refs'], '0'))
      const [said, end, ...ours] = listingOf(encodeAdvertisement(`git-${service}`, '0', after, SPEAKER))
      assert.deepEqual([said, end], [`# service=git-${service}`, 'flush'])
      assert.deepEqual(ours, theirs, service)
    }
    for (const { words, prefixes } of questions) {
      const names = ['HEAD', 'refs/heads/', ...after.refs.map(({ name }) => name)]
      const texts = prefixes.map(([which, length]) =>
        Array.from(names[which % names.length] ?? '')
          .slice(0, length)
          .join(''),
      )
      const lines = [...words, ...texts.map((text) => `ref-prefix ${text}`)].map((line) => encodePktLine(`${line}\n`))
      const body = Buffer.concat([encodePktLine('command=ls-refs\n'), DELIM, ...lines, FLUSH])
      const parser = new V2RequestParser({ wantsMax: 0, havesMax: 0 })
      for (const line of decodeWhole(body)) parser.take(line)
      const request = parser.request()
      assert.ok(request?.command === 'ls-refs')
      const theirs = ask(path, ['upload-pack', '--stateless-rpc'], '2', body)
      assert.equal(encodeLsRefs(after, request).toString(), theirs.toString(), JSON.stringify([words, texts]))
    }
  } finally {
    rmSync(path, { recursive: true })
  }
})
