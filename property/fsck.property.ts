import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'

import { checkObject } from '../src/git/fsck/check-object.ts'
import type { FsckId } from '../src/git/fsck/error.ts'
import { checkGitmodules } from '../src/git/fsck/gitmodules.ts'
import { forEachLink } from '../src/git/fsck/links.ts'
import { blob, commit, gitFsck, oidOf, tag, type TestObject, tree, UNREADABLE } from '../src/git/fsck/testing.ts'
import { prop } from './prop.ts'

// One start of git judges them all; shrinking would start it hundreds of times, and the message names the one object.
const BATCH = 400
const batchOf = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: BATCH, maxLength: BATCH })
const PARAMETERS = { numRuns: 4, endOnFailure: true } as const

// Random, so that no two objects name the same target as different types.
const oid = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('hex'))

/** Text that is right but for a few flaws: of random bytes nearly all would be refused by the first check. */
const flawed = (text: fc.Arbitrary<string>, tokens: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      text,
      fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 1, noNaN: true }),
          removed: fc.nat(3),
          added: fc.oneof(fc.constantFrom(...tokens), fc.string({ unit: 'binary', maxLength: 1 })),
        }),
        { maxLength: 2 },
      ),
    )
    .map(([start, flaws]) =>
      flaws.reduce((result, { at, removed, added }) => {
        const place = Math.floor(at * (result.length + 1))
        return result.slice(0, place) + Buffer.from(added).toString('latin1') + result.slice(place + removed)
      }, start),
    )

const TOKENS = [
  '\n',
  '\n\n',
  '\0',
  ' ',
  '<',
  '>',
  '0',
  '-',
  '+',
  '9'.repeat(18),
  'author ',
  'tree ',
  'tagger x\n',
  'x\n',
]
const date = fc.oneof(
  fc.constantFrom('0', '1700000000', '01', '-1', '-0', ' 1', '18446744073709551615', '9223372036854775808', 'x', ''),
  fc.bigInt({ min: 2n ** 62n, max: 2n ** 65n }).map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 0n }).map(String),
)
const who = fc
  .tuple(fc.constantFrom('A', 'A B', '', ' '), date, fc.constantFrom('+0000', '-0330', '+9999', '0'))
  .map(([name, seconds, zone]) => `${name} <a@b.c> ${seconds} ${zone}`)
const usuallyGood = fc.oneof({ weight: 4, arbitrary: fc.constant('A U Thor <a@b.c> 1700000000 +0100') }, who)

const commits = flawed(
  fc
    .tuple(
      oid,
      fc.array(oid, { maxLength: 2 }),
      usuallyGood,
      usuallyGood,
      fc.constantFrom('', '\n', '\nwhy\n', 'x y\n'),
    )
    .map(
      ([treeOid, parents, author, committer, rest]) =>
        `tree ${treeOid}\n${parents.map((parent) => `parent ${parent}\n`).join('')}author ${author}\ncommitter ${committer}\n${rest}`,
    ),
  TOKENS,
).map(commit)

const tags = flawed(
  fc
    .tuple(oid, fc.constantFrom('commit', 'tree', 'blob', 'tag'), fc.constantFrom('v1', '', 'a..b'), usuallyGood)
    .map(([target, type, name, tagger]) => `object ${target}\ntype ${type}\ntag ${name}\ntagger ${tagger}\n\nwhy\n`),
  TOKENS,
).map(tag)

function assertAsGit(objects: readonly TestObject[], ours: (object: TestObject) => FsckId | undefined): void {
  const complaints = gitFsck(objects)
  for (const object of objects) {
    const id = ours(object)
    const ids = Array.from(complaints.get(oidOf(object)) ?? []).filter((said) => !said.endsWith('Missing'))
    // Where git stops reading, it may not get to name the mistake that is named here.
    const isStopped = ids.includes(UNREADABLE) || ids.includes('badTree')
    const isSame = id === undefined ? ids.length === 0 : ids.includes(id) || isStopped
    assert.ok(
      isSame,
      `${object.type} ${JSON.stringify(object.data.toString('latin1'))}: ${id} here, git says "${ids.join()}"`,
    )
  }
}

const ofObject = ({ type, data }: TestObject): FsckId | undefined => {
  const id = checkObject(type, data)
  // What was taken can be walked.
  if (id === undefined) forEachLink(type, data, () => {})
  return id
}

prop([batchOf(fc.oneof(commits, tags))], PARAMETERS)('commits and tags are judged as git fsck does', (objects) => {
  assertAsGit(objects, ofObject)
})

const MODES = [
  '100644',
  '100644',
  '40000',
  '40000',
  '120000',
  '160000',
  '100664',
  '0',
  '040000',
  '40001',
  '1100644',
  '7',
]
const piece = fc.constantFrom('a', 'b', '.', '-', '0', 'a.b', 'é', '/', '\\', ' ', '\u200c')
const plainName = fc.oneof(
  { weight: 9, arbitrary: fc.array(fc.constantFrom('a', 'b', '.', '-', '0'), { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(piece, { maxLength: 4 }) },
)
const entry = fc.record({
  mode: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('100644', '40000') }, fc.constantFrom(...MODES)),
  name: plainName.map((pieces) => Buffer.from(pieces.join(''))),
  oid: fc.oneof({ weight: 30, arbitrary: oid }, fc.constant('0'.repeat(40))),
})
const asGitSorts = ({ mode, name }: { mode: string; name: Buffer }) =>
  Buffer.concat([name, Buffer.from(mode === '40000' ? '/' : '\0')])
const trees = fc
  .tuple(
    fc.array(entry, { maxLength: 8 }),
    fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.boolean()),
    fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(30)),
  )
  .map(([entries, isSorted, cutBytes]) => {
    if (isSorted) entries.sort((a, b) => Buffer.compare(asGitSorts(a), asGitSorts(b)))
    const { type, data } = tree(...entries)
    return { type, data: data.subarray(0, Math.max(0, data.length - cutBytes)) }
  })

prop([batchOf(trees)], PARAMETERS)('trees are judged as git fsck does', (objects) => {
  assertAsGit(objects, ofObject)
})

const FAMOUS = [
  '.git',
  'git~1',
  '.gitmodules',
  '.gitattributes',
  'gitmod~1',
  'gitatt~4',
  'gi7eba~1',
  'gi7d29~12',
  '~1234567',
]
const famousName = fc
  .tuple(
    flawed(fc.constantFrom(...FAMOUS), [
      '~',
      '1',
      '0',
      '\u200c',
      '\ufeff',
      '\u206f',
      '\u2070',
      '.',
      ' ',
      '\\',
      'G',
      'ı',
    ]),
    fc.constantFrom(
      '',
      '',
      ' ',
      '.',
      ':',
      '. .',
      ':$DATA',
      '\\',
      '\\x',
      '\u200d',
      'a',
      '\x80',
      '\xe2\x80',
      '\xef\xbb\xbf',
    ),
    fc.constantFrom('', '', '\\', 'a\\', '\u200e'),
    fc.boolean(),
  )
  .map(([name, tail, head, isUpper]) =>
    Buffer.from(Buffer.from(head).toString('latin1') + (isUpper ? name.toUpperCase() : name) + tail, 'latin1'),
  )
  .filter((name) => !name.includes(0))

prop([batchOf(fc.tuple(famousName, fc.constantFrom('100644', '120000'), oid))], PARAMETERS)(
  'names that file systems take for files of git are found as git finds them',
  (rows) => {
    const objects = rows.map(([name, mode, target]) => ({ target, object: tree({ name, mode, oid: target }) }))
    assertAsGit(
      objects.map(({ object }) => object),
      ofObject,
    )
    // git says of each special file that it is missing, for none of them is there.
    const complaints = gitFsck(objects.map(({ object }) => object))
    for (const { target, object } of objects) {
      const found: string[] = []
      if (checkObject(2, object.data, (file) => found.push(`${file}Missing`)) !== undefined) continue
      const said = Array.from(complaints.get(target) ?? [])
      assert.deepEqual(Array.from(new Set(found)).sort(), said.sort(), JSON.stringify(object.data.toString('latin1')))
    }
  },
)

const key = fc.constantFrom('url', 'path', 'update', 'URL', 'x', 'u-1')
const value = fc.oneof(
  fc.constantFrom('a', '-a', '!a', '"-a"', '', ' "" -a', '\\\n-a', 'a # -b', '"a\\n"', 'a ; b', '"#"', 'merge', '"'),
  fc
    .array(
      fc.constantFrom(
        './',
        '../',
        '..\\\\',
        ':',
        '/',
        'a',
        '@',
        '%0a',
        '%',
        '%00',
        '?',
        '#',
        'http',
        'https',
        'git',
        '://',
        '::',
        'ftp',
      ),
      { maxLength: 7 },
    )
    .map((parts) => parts.join('')),
)
const section = fc
  .tuple(
    fc.constantFrom('submodule', 'submodule', 'submodule', 'SubModule', 'core', 'submodule.a'),
    fc.constantFrom(' "a"', ' "a"', ' "a"', ' "a/../b"', ' ".."', '', '  "a\\"b"', ' ""', ' "..a"', '.b', ' "a\\\\.."'),
    fc.array(fc.tuple(key, fc.constantFrom(' = ', '=', '\t=', ' ', '  =  '), value), { maxLength: 3 }),
  )
  .map(([kind, name, lines]) => `[${kind}${name}]\n${lines.map((parts) => `\t${parts.join('')}\n`).join('')}`)
const CONFIG_TOKENS = ['\n', '\r\n', '\r', '\0', '"', '\\', '[', ']', '=', '#', ' ', '-', '!', '.', '\n\n', '\t']
const gitmodules = flawed(
  fc.array(section, { maxLength: 3 }).map((sections) => sections.join('')),
  CONFIG_TOKENS,
).map((text) => blob(Buffer.from(text, 'latin1')))

prop([batchOf(gitmodules)], PARAMETERS)('.gitmodules are judged as git fsck does', (files) => {
  // A byte that git reads differently on different processors, see config-parser.ts.
  const portable = files.filter(({ data }) => !data.includes(0xff) && data[0] !== 0xef)
  const calling = portable.map((file) => tree({ name: '.gitmodules', oid: oidOf(file) }))
  assertAsGit([...portable, ...calling], (object) =>
    object.type === 3 ? checkGitmodules(object.data) : ofObject(object),
  )
})
