import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import { temporaryFolder } from '../integration/support/git.ts'
import { parseWholeCommit } from '../src/git/object/commit.ts'
import { parseTag } from '../src/git/object/tag.ts'
import { forEachTreeEntry } from '../src/git/object/tree.ts'
import { OBJECT_TYPES } from '../src/git/object/type.ts'
import { oidHex, record } from './arbitraries.ts'
import { run } from './histories.ts'
import { prop } from './prop.ts'

// One start of git for many objects.
const BATCH = 60
const batchOf = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: BATCH, maxLength: BATCH })
const PARAMETERS = { numRuns: 6, endOnFailure: true } as const

const folder = temporaryFolder('objects')
const repository = join(folder.path, 'objects.git')
beforeAll(() => {
  run(folder.path, ['init', '--quiet', '--bare', 'objects.git'])
})
afterAll(() => folder[Symbol.dispose]())

/** Stores each object. @returns their names, as C git computes them */
function hashObjects(type: string, objects: readonly Buffer[]): string[] {
  const path = mkdtempSync(join(folder.path, 'files-'))
  const files = objects.map((data, at) => {
    writeFileSync(join(path, `${at}`), data)
    return join(path, `${at}`)
  })
  const names = run(repository, ['hash-object', '-w', '-t', type, '--stdin-paths'], `${files.join('\n')}\n`)
  rmSync(path, { recursive: true })
  return names.toString().trim().split('\n')
}

function assertNames(type: string, objects: readonly Buffer[], names: readonly string[]): void {
  for (const [at, data] of objects.entries()) {
    const own = createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest('hex')
    assert.equal(own, names[at])
  }
}

// git takes spaces and marks off the ends of names, so there are none.
const name = fc.stringMatching(/^[a-zA-Zé漢][a-zA-Zé漢 '-]{0,20}[a-zA-Zé漢]$/)
const email = fc.stringMatching(/^[a-z0-9+.-]{1,12}@[a-z0-9-]{1,12}$/)
const person = record({
  name,
  email,
  timeS: fc.integer({ min: 0, max: 2 ** 40 }),
  zone: fc.constantFrom('+0000', '-0330', '+1345'),
})
type Person = { readonly name: string; readonly email: string; readonly timeS: number; readonly zone: string }
const print = (one: Person): string => `${one.name} <${one.email}> ${one.timeS} ${one.zone}`
const message = fc
  .array(fc.oneof(fc.stringMatching(/^[ -~é漢]{0,30}$/), fc.constant('')), { maxLength: 5 })
  .map((lines) => `a subject\n${lines.join('\n')}`)
const commit = record({
  tree: oidHex,
  parents: fc.array(oidHex, { maxLength: 3 }),
  author: person,
  committer: person,
  extra: fc.constantFrom('', 'gpgsig -----BEGIN\n \n -----END\n', 'mergetag object x\n y\n'),
  message,
})

prop([batchOf(commit)], PARAMETERS)('a commit is read as it was written, and as git log reads it', (commits) => {
  const objects = commits.map(({ tree, parents, author, committer, extra, message: text }) =>
    Buffer.from(
      `tree ${tree}\n${parents.map((one) => `parent ${one}\n`).join('')}author ${print(author)}\ncommitter ${print(committer)}\n${extra}\n${text}`,
    ),
  )
  const names = hashObjects('commit', objects)
  assertNames('commit', objects, names)
  const format = '--format=format:%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x01'
  const said = run(repository, ['log', '--no-walk=unsorted', '--stdin', format], `${names.join('\n')}\n`).toString()
  const theirs = said.split('\u0001').map((text) => text.replace(/^\n/, '').split('\0'))
  for (const [at, data] of objects.entries()) {
    const read = parseWholeCommit(data)
    const { tree, parents, author, committer, message: text } = commits[at] as (typeof commits)[number]
    const identities = [read.author, read.committer].flatMap((one) => [one.name, one.email, `${one.timeS}`])
    assert.deepEqual([read.tree, read.parents.join(' '), ...identities], theirs[at])
    assert.deepEqual(read.parents, parents)
    assert.deepEqual([read.tree, read.message], [tree, text])
    assert.equal(read.committerTimeS, committer.timeS)
    assert.equal(read.author.email, author.email)
  }
})

const KINDS = [
  { mode: '100644', type: 'blob' },
  { mode: '100755', type: 'blob' },
  { mode: '120000', type: 'blob' },
  { mode: '40000', type: 'tree' },
  { mode: '160000', type: 'commit' },
] as const
const entry = record({
  kind: fc.constantFrom(...KINDS),
  name: fc.stringMatching(/^[a-cé.0-][a-cé.0 -]{0,4}x$/),
  oid: oidHex,
})
const tree = fc.uniqueArray(entry, { minLength: 1, maxLength: 12, selector: (one) => one.name })

prop([batchOf(tree)], PARAMETERS)('a tree that git mktree makes is read as what it was made of', (trees) => {
  const input = trees.map((entries) =>
    entries.map(({ kind, name: path, oid }) => `${kind.mode} ${kind.type} ${oid}\t${path}\0`).join(''),
  )
  const oids = run(repository, ['mktree', '-z', '--missing', '--batch'], `${input.join('\0')}\0`)
    .toString()
    .trim()
    .split('\n')
  assert.equal(oids.length, trees.length)
  const bytes = readObjects(oids)
  assertNames('tree', bytes, oids)
  for (const [at, data] of bytes.entries()) {
    const read: string[] = []
    forEachTreeEntry(data, (mode, nameStart, nameEnd, oidAt) => {
      const path = data.toString('utf8', nameStart, nameEnd)
      read.push(`${mode.toString(8)} ${path} ${data.toString('hex', oidAt, oidAt + 20)}`)
    })
    const written = (trees[at] ?? []).map((one) => `${one.kind.mode} ${one.name} ${one.oid}`)
    assert.deepEqual([...read].sort(), written.sort())
  }
})

/** Their bytes, in one start of git. */
function readObjects(oids: readonly string[]): Buffer[] {
  let rest = run(repository, ['cat-file', '--batch'], `${oids.join('\n')}\n`)
  return oids.map(() => {
    const end = rest.indexOf('\n')
    const bytes = Number(rest.toString('latin1', 0, end).split(' ')[2])
    const data = rest.subarray(end + 1, end + 1 + bytes)
    rest = rest.subarray(end + 2 + bytes)
    return data
  })
}

const tag = record({
  object: oidHex,
  type: fc.constantFrom(...OBJECT_TYPES),
  name: fc.stringMatching(/^[a-z0-9]{1,12}$/),
  tagger: fc.option(person),
  message,
})

prop([batchOf(tag)], PARAMETERS)('a tag is read as it was written, and as git for-each-ref reads it', (tags) => {
  const objects = tags.map(({ object, type, name: label, tagger, message: text }) =>
    Buffer.from(
      `object ${object}\ntype ${type}\ntag ${label}\n${tagger === null ? '' : `tagger ${print(tagger)}\n`}\n${text}`,
    ),
  )
  const names = hashObjects('tag', objects)
  assertNames('tag', objects, names)
  const refs = names.map((oid, at) => `update refs/tags/t${String(at).padStart(3, '0')} ${oid}\n`)
  run(repository, ['update-ref', '--stdin'], refs.join(''))
  const theirs = run(repository, ['for-each-ref', '--format=%(object) %(type) %(tag)', 'refs/tags'])
    .toString()
    .trim()
    .split('\n')
  const ours = objects.map((data) => {
    const read = parseTag(data)
    return `${read.object} ${read.type} ${read.tag}`
  })
  assert.deepEqual(ours, theirs)
})
