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
    { name: 'no bytes', data: Buffer.alloc(0) },
    { name: 'no tree', data: commit(`author ${WHO}`) },
    { name: 'a short tree', data: commit(`tree ${OID.slice(1)}`) },
    { name: 'a tree without a line feed', data: Buffer.from(`tree ${OID}`) },
    { name: 'a tree of other characters', data: commit(`tree ${OID.replace('a', 'g')}`) },
    { name: 'a parent that is no id', data: commit(`tree ${OID}`, 'parent x') },
  ])('is none with $name', ({ data }) => {
    expect(() => parseCommit(data)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ code: 'commit_invalid' }) }),
    )
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
    { line: 'no email', name: 'no email', email: '', timeS: 0 },
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
    { name: 'no bytes', text: '' },
    { name: 'no object', text: 'type commit\ntag v1\n' },
    { name: 'a short object', text: `object ${OID.slice(2)}\ntype commit\ntag v1\n` },
    { name: 'no type', text: `object ${OID}\ntag v1\n` },
    { name: 'a type that is none', text: `object ${OID}\ntype constructor\ntag v1\n` },
  ])('is none with $name', ({ text }) => {
    expect(() => parseTag(Buffer.from(text))).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ code: 'tag_invalid' }) }),
    )
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
    { name: 'a mode only', data: Buffer.from('100644') },
    { name: 'no mode', data: entry('', 'a') },
    { name: 'a mode that is not octal', data: entry('100648', 'a') },
    { name: 'a sign before its mode', data: entry('+100644', 'a') },
    { name: 'no name', data: entry('100644', '') },
    { name: 'a name that does not end', data: Buffer.from('100644 name') },
    { name: 'an id cut short', data: entry('100644', 'a').subarray(0, -1) },
    { name: 'a second entry cut short', data: Buffer.concat([entry('100644', 'a'), Buffer.from('1')]) },
  ])('is none with $name', ({ data }) => {
    expect(() => read(data)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ code: 'tree_invalid' }) }),
    )
    expect(git(['ls-tree', write('tree', data)]).status).not.toBe(0)
  })
})

it('there are four types, and no fifth', () => {
  expect([1, 2, 3, 4].map(typeNameOf)).toEqual(['commit', 'tree', 'blob', 'tag'])
  for (const type of [0, 5, 6, -1, Number.NaN]) expect(() => typeNameOf(type)).toThrow('is no type of object')
})
