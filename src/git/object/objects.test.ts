import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseCommit, parseWholeCommit } from './commit.ts'
import { parseIdentity } from './identity.ts'
import { parseTag } from './tag.ts'
import { forEachTreeEntry } from './tree.ts'
import { OBJECT_TYPES, typeNameOf } from './type.ts'

const OID = 'a1'.repeat(20)
const OTHER = 'b2'.repeat(20)
const WHO = 'A U Thor <author@example.org> 1700000000 +0100'

const repository = mkdtempSync(join(tmpdir(), 'guts-objects-'))
const git = (args: readonly string[], input: Uint8Array | string = '') =>
  spawnSync('git', args, {
    cwd: repository,
    input,
    env: { PATH: process.env['PATH'] ?? '', GIT_CONFIG_GLOBAL: '/dev/null' },
  })
beforeAll(() => void git(['init', '--quiet', '--bare']))
afterAll(() => rmSync(repository, { recursive: true }))

/** Makes git keep it whatever it thinks of it. */
const write = (type: string, data: Uint8Array | string): string =>
  git(['hash-object', '-t', type, '-w', '--stdin', '--literally'], data).stdout.toString().trim()

describe('a commit', () => {
  const commit = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\n')}\n\nmessage\n`)
  it.each([
    { name: 'without parents', data: commit(`tree ${OID}`, `author ${WHO}`, `committer ${WHO}`), parents: [] },
    {
      name: 'with two',
      data: commit(`tree ${OID}`, `parent ${OTHER}`, `parent ${OID}`, `author ${WHO}`, `committer ${WHO}`),
      parents: [OTHER, OID],
    },
    {
      name: 'with a signature',
      data: commit(`tree ${OID}`, `author ${WHO}`, `committer ${WHO}`, 'gpgsig a', ' b'),
      parents: [],
    },
  ])('$name says what it links to', ({ data, parents }) => {
    expect(parseCommit(data)).toEqual({ tree: OID, parents, committerTimeS: 1_700_000_000 })
    expect(parseWholeCommit(data)).toMatchObject({ message: 'message\n', author: { name: 'A U Thor' } })
  })

  it.each([
    { name: 'no bytes', data: Buffer.alloc(0), reason: 'it names no tree' },
    { name: 'no tree', data: commit(`author ${WHO}`), reason: 'it names no tree' },
    { name: 'a short tree', data: commit(`tree ${OID.slice(1)}`), reason: 'it names no tree' },
    { name: 'a long tree', data: commit(`tree ${OID}0`), reason: 'it names no tree' },
    { name: 'a tree with something before it', data: commit(`tree  ${OID}`), reason: 'it names no tree' },
    { name: 'a tree without a line feed', data: Buffer.from(`tree ${OID}`), reason: 'it names no tree' },
    { name: 'a tree of other characters', data: commit(`tree ${OID.replace('a', 'g')}`), reason: 'it names no tree' },
    { name: 'a parent that is no id', data: commit(`tree ${OID}`, 'parent x'), reason: 'a parent is no object id' },
    {
      name: 'a second parent that is too long',
      data: commit(`tree ${OID}`, `parent ${OID}`, `parent ${OID}0`),
      reason: 'a parent is no object id',
    },
  ])('is none with $name', ({ data, reason }) => {
    const refused = { detail: { code: 'commit_invalid', reason }, message: `A commit is invalid: ${reason}` }
    expect(() => parseCommit(data)).toThrow(expect.objectContaining(refused))
    expect(() => parseWholeCommit(data)).toThrow(expect.objectContaining(refused))
  })

  it('may name its tree and parents in capitals, as git reads them', () => {
    const data = commit(`tree ${OID.toUpperCase()}`, `parent ${OTHER.toUpperCase()}`)
    expect(parseCommit(data)).toEqual({ tree: OID, parents: [OTHER], committerTimeS: 0 })
  })

  it('has no parent in a line that does not end, as C git reads it', () => {
    const tree = git(['mktree']).stdout.toString().trim()
    const root = write('commit', commit(`tree ${tree}`, `author ${WHO}`, `committer ${WHO}`))
    const data = Buffer.from(`tree ${tree}\nparent ${root}\nparent ${root}`)
    const theirs = git(['rev-list', '--parents', '-1', write('commit', data)])
      .stdout.toString()
      .trim()
    expect(theirs.split(' ').slice(1)).toEqual([root])
    expect(parseCommit(data)).toEqual({ tree, parents: [root], committerTimeS: 0 })
  })

  it('says who wrote it and who committed it, each in its own line, in this order', () => {
    const [author, committer] = ['É <e@x> 5 +0000', 'C <c@x> 6 +0000']
    expect(parseWholeCommit(commit(`tree ${OID}`, `author ${author}`, `committer ${committer}`))).toEqual({
      tree: OID,
      parents: [],
      committerTimeS: 6,
      author: { name: 'É', email: 'e@x', timeS: 5 },
      committer: { name: 'C', email: 'c@x', timeS: 6 },
      message: 'message\n',
    })
    const none = { name: '', email: '', timeS: 0 }
    expect(parseWholeCommit(commit(`tree ${OID}`, `authored ${author}`))).toMatchObject({
      author: none,
      committer: none,
    })
  })

  it('keeps a message as it is, also none', () => {
    const data = Buffer.from(`tree ${OID}\nauthor ${WHO}\ncommitter ${WHO}\n\n\n  two\n\nparts`)
    expect(parseWholeCommit(data).message).toBe('\n  two\n\nparts')
    expect(parseWholeCommit(Buffer.from(`tree ${OID}\nauthor ${WHO}\ncommitter ${WHO}\n`)).message).toBe('')
    expect(parseWholeCommit(Buffer.from(`tree ${OID}\n`))).toMatchObject({ message: '', committerTimeS: 0 })
  })

  // C git sorts history by these: what it reads, we have to read. (Of several '>' git 2.39 reads the first, 2.41 the last.)
  it.each([
    'A <a@b> 1700000000 +0000',
    'A <a@b> 0 +0000',
    'A <a@b>  1700000000 +0000',
    'A <a@b> 1700000000',
    'A <a@b> yesterday',
    'A a@b 1700000000 +0000',
    '<> 5 +0000',
    '',
  ])('has the time that C git reads in "%s"', (who) => {
    const tree = git(['mktree']).stdout.toString().trim()
    const data = `tree ${tree}\nauthor ${WHO}\ncommitter ${who}\n\nm\n`
    const oid = write('commit', data)
    const theirs = git(['rev-list', '-1', '--timestamp', oid]).stdout.toString().split(' ')[0]
    expect(String(parseCommit(Buffer.from(data)).committerTimeS)).toBe(theirs)
  })
})

describe('an identity', () => {
  it.each([
    { line: WHO, name: 'A U Thor', email: 'author@example.org', timeS: 1_700_000_000 },
    { line: ' A\t<b>8 +0000', name: 'A', email: 'b', timeS: 8 },
    { line: 'A <b> 8', name: 'A', email: 'b', timeS: 8 },
    { line: 'A <b> 8x', name: 'A', email: 'b', timeS: 0 },
    { line: 'A <b> x 8 +0000', name: 'A', email: 'b', timeS: 0 },
    { line: `A <b> ${'9'.repeat(15)} +0000`, name: 'A', email: 'b', timeS: 999_999_999_999_999 },
    { line: '<b> 8 +0000', name: '', email: 'b', timeS: 8 },
    { line: '<> 8 +0000', name: '', email: '', timeS: 8 },
    { line: ' > 8 +0000 ', name: '> 8 +0000', email: '', timeS: 0 },
    { line: ' < 8 +0000 ', name: '< 8 +0000', email: '', timeS: 0 },
    { line: ' no email ', name: 'no email', email: '', timeS: 0 },
    { line: '> < 5 +0000', name: '> < 5 +0000', email: '', timeS: 0 },
    { line: 'A <b> c> 7 +0000', name: 'A', email: 'b> c', timeS: 7 },
    { line: `A <b> ${'9'.repeat(16)} +0000`, name: 'A', email: 'b', timeS: 0 },
  ])('in "$line"', ({ line, ...expected }) => {
    expect(parseIdentity(line)).toEqual(expected)
  })
})

describe('a tag', () => {
  it.each(OBJECT_TYPES)('of a %s says what it points to', (type) => {
    const data = Buffer.from(`object ${OID}\ntype ${type}\ntag v1\ntagger ${WHO}\n\nm\n`)
    expect(parseTag(data)).toEqual({ object: OID, type, tag: 'v1' })
  })

  it.each([
    { name: 'no bytes', text: '', reason: 'it names no object' },
    { name: 'no object', text: 'type commit\ntag v1\n', reason: 'it names no object' },
    { name: 'a short object', text: `object ${OID.slice(2)}\ntype commit\n`, reason: 'it names no object' },
    { name: 'a long object', text: `object ${OID}0\ntype commit\n`, reason: 'it names no object' },
    { name: 'something before its object', text: `object x${OID}\ntype commit\n`, reason: 'it names no object' },
    { name: 'no type', text: `object ${OID}\ntag v1\n`, reason: 'it names no type of object' },
    {
      name: 'a type that is none',
      text: `object ${OID}\ntype constructor\ntag v1\n`,
      reason: 'it names no type of object',
    },
  ])('is none with $name', ({ text, reason }) => {
    const refused = { detail: { code: 'tag_invalid', reason }, message: `A tag is invalid: ${reason}` }
    expect(() => parseTag(Buffer.from(text))).toThrow(expect.objectContaining(refused))
  })

  it('may have no name, and name its object in capitals', () => {
    const data = Buffer.from(`object ${OID.toUpperCase()}\ntype tag\ntagger ${WHO}\n\nm\n`)
    expect(parseTag(data)).toEqual({ object: OID, type: 'tag', tag: '' })
  })
})

describe('a tree', () => {
  const entry = (mode: string, name: string | Buffer, oid = OID): Buffer =>
    Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.of(0), Buffer.from(oid, 'hex')])
  const read = (data: Buffer): string[] => {
    const found: string[] = []
    forEachTreeEntry(data, (mode, nameStart, nameEnd, oidAt) => {
      found.push(
        `${mode.toString(8).padStart(6, '0')} ${data.toString('hex', oidAt, oidAt + 20)} ${data.toString('latin1', nameStart, nameEnd)}`,
      )
    })
    return found
  }

  const trees = [
    { name: 'nothing', data: Buffer.alloc(0) },
    {
      name: 'one of each kind',
      data: Buffer.concat([
        entry('100644', 'a'),
        entry('100755', 'b'),
        entry('120000', 'c'),
        entry('160000', 'd'),
        entry('40000', 'e'),
      ]),
    },
    {
      name: 'modes that git no longer writes',
      data: Buffer.concat([entry('100664', 'a'), entry('100600', 'b'), entry('040000', 'c'), entry('100777', 'd')]),
    },
    { name: 'modes that are none', data: Buffer.concat([entry('0', 'a'), entry('170000', 'b'), entry('20000', 'c')]) },
    { name: 'a mode with more bits than git keeps', data: entry('7100644', 'a') },
    {
      name: 'names of any bytes',
      data: Buffer.concat([entry('100644', Buffer.from('ff20', 'hex')), entry('100644', 'a b\tc')]),
    },
  ]
  it.each(trees)('with $name is read as C git reads it', ({ data }) => {
    const oid = write('tree', data)
    const text = git(['-c', 'core.quotePath=false', 'ls-tree', '-z', oid]).stdout.toString('latin1')
    const theirs = text
      .split('\0')
      .filter(Boolean)
      .map((line) => line.replace(/^(\d+) \w+ ([0-9a-f]{40})\t/, '$1 $2 '))
    expect(read(data)).toEqual(theirs)
  })

  it.each([
    { name: 'a mode only', data: Buffer.from('100644'), reason: 'a mode is not octal' },
    { name: 'no mode', data: entry('', 'a'), reason: 'a mode is not octal' },
    { name: 'a mode that is not octal', data: entry('100648', 'a'), reason: 'a mode is not octal' },
    { name: 'a sign before its mode', data: entry('+100644', 'a'), reason: 'a mode is not octal' },
    { name: 'no name', data: entry('100644', ''), reason: 'an entry has no name' },
    { name: 'a name that does not end', data: Buffer.from('100644 name'), reason: 'it ends inside an entry' },
    { name: 'an id cut short', data: entry('100644', 'a').subarray(0, -1), reason: 'it ends inside an entry' },
    {
      name: 'a second entry cut short',
      data: Buffer.concat([entry('100644', 'a'), Buffer.from('1')]),
      reason: 'a mode is not octal',
    },
  ])('is none with $name', ({ data, reason }) => {
    const refused = { detail: { code: 'tree_invalid', reason }, message: `A tree is invalid: ${reason}` }
    expect(() => read(data)).toThrow(expect.objectContaining(refused))
    expect(git(['ls-tree', write('tree', data)]).status).not.toBe(0)
  })
})

it('there are four types, and no fifth', () => {
  expect([1, 2, 3, 4].map(typeNameOf)).toEqual(['commit', 'tree', 'blob', 'tag'])
  for (const type of [0, 5, 6, -1, Number.NaN]) expect(() => typeNameOf(type)).toThrow('is no type of object')
})
