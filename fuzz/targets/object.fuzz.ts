import assert from 'node:assert/strict'
import { checkObject } from '../../src/git/fsck/check-object.ts'
import { checkGitattributes } from '../../src/git/fsck/gitattributes.ts'
import { checkGitmodules } from '../../src/git/fsck/gitmodules.ts'
import { forEachLink } from '../../src/git/fsck/links.ts'
import { parseWholeCommit } from '../../src/git/object/commit.ts'
import { ObjectError } from '../../src/git/object/error.ts'
import { parseTag } from '../../src/git/object/tag.ts'
import { OBJECT_TYPE } from '../../src/git/object/type.ts'
import { Cursor } from '../grammar/cursor.ts'
import { makeTree } from '../grammar/objects.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { checkTreeOrder, readTree } from '../oracles/trees.ts'
import type { GitObject, NamedBytes } from '../seeds/material.ts'
import type { FuzzTarget } from '../target.ts'

export const target = {
  reads: 'commits, trees, tags, .gitmodules and .gitattributes',
  drives: {
    'src/git/object/commit.ts': ['parseWholeCommit', 'parseLinks'],
    'src/git/object/tree.ts': ['forEachTreeEntry', 'canonicalMode'],
    'src/git/object/tag.ts': ['parseTag'],
    'src/git/fsck/commit.ts': ['checkCommit'],
    'src/git/fsck/tree.ts': ['checkTree', 'checkName'],
    'src/git/fsck/tag.ts': ['checkTag'],
    'src/git/fsck/links.ts': ['forEachLinkOfCommit', 'linkOfTag'],
    'src/git/fsck/identity.ts': ['checkIdentity', 'checkDate'],
    'src/git/fsck/gitmodules.ts': ['checkGitmodules', 'checkValue'],
    'src/git/fsck/gitattributes.ts': ['checkGitattributes'],
  },
  inputBytesMax: 4_096,
  words: [
    `tree ${'a'.repeat(40)}\n`,
    `parent ${'a'.repeat(40)}\n`,
    'author A <a@b.c> 1700000000 +0000\n',
    'committer A <a@b.c> 1700000000 +0000\n',
    `object ${'a'.repeat(40)}\ntype commit\ntag v1\n`,
    'tagger A <a@b.c> 1700000000 +0000\n',
    '40000 a\n',
    '100644 a.b\n',
    '120000 .gitmodules\n',
    '160000 a\n',
    '.git',
    'git~1',
    '.gitmodules',
    '.gitattributes',
    '\xe2\x80\x8c',
    '[submodule "a"]\n\tpath = a\n\turl = ',
    'update = !x\n',
  ],
  makesObjects: false,
  goalPerS: 1_000,
  planted: {
    'dot-git': {
      why: 'a tree that is checked out into .git runs what the pusher likes',
      file: 'src/git/fsck/tree.ts',
      from: "if (isDotGit(data, at)) return 'hasDotgit'",
      to: 'isDotGit(data, at)',
    },
    'padded-date': {
      why: 'only C git knows that a date may not begin with a zero: what it would refuse is taken',
      file: 'src/git/fsck/identity.ts',
      from: "if (data[dateAt] === ZERO && data[dateAt + 1] !== SPACE) return 'zeroPaddedDate'",
      to: '',
    },
  },
  seeds: ({ objects, files }) =>
    Object.fromEntries([
      ...objects.flatMap(seedsOf),
      ...files.map(seedOfFile),
      seedOf('gitmodules by hand', 'gitmodules', BY_HAND),
    ]),
} satisfies FuzzTarget

/** With a key alone, which git itself never writes, and reads as true. */
const BY_HAND = Buffer.from('[submodule "lib"]\n\tpath = lib\n\tshallow\n')

/** By the first byte, so that seeds can be read; any other byte means one of these as well. */
export const KINDS = ['commit', 'tree', 'tree in lines', 'sorted tree in lines', 'tag', 'gitmodules', 'gitattributes']

/**
 * Oracle: refused with an ObjectError, or read as another reader reads it; an object that fsck takes can be read and
 * walked, and a tree that it takes is sorted and names nothing dangerous.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const kind = KINDS[input.byte() % KINDS.length]
  if (kind === 'commit') fuzzCommit(input.rest())
  else if (kind === 'tag') fuzzTag(input.rest())
  else if (kind === 'tree') fuzzTree(input.rest())
  else if (kind === 'gitmodules' || kind === 'gitattributes') fuzzFile(kind, input.rest())
  else fuzzTree(makeTree(input.rest(), kind === 'sorted tree in lines'))
}

function fuzzFile(kind: 'gitmodules' | 'gitattributes', data: Buffer): void {
  if (kind === 'gitmodules') checkGitmodules(data)
  else checkGitattributes(data)
  assert.equal(checkObject(OBJECT_TYPE.blob, data), undefined, 'alone, a blob is fine')
}

/** What an input means, for other readers; undefined: a file that git only reads as part of a tree. */
export function objectOf(data: Buffer): { readonly type: number; readonly data: Buffer } | undefined {
  const input = new Cursor(data)
  const kind = KINDS[input.byte() % KINDS.length]
  if (kind === 'commit' || kind === 'tag' || kind === 'tree') return { type: OBJECT_TYPE[kind], data: input.rest() }
  if (kind === 'gitmodules' || kind === 'gitattributes') return undefined
  return { type: OBJECT_TYPE.tree, data: makeTree(input.rest(), kind === 'sorted tree in lines') }
}

function fuzzCommit(data: Buffer): void {
  const isTaken = checkObject(OBJECT_TYPE.commit, data) === undefined
  const links = linksOf(OBJECT_TYPE.commit, data, isTaken)
  const commit = isTaken ? parseWholeCommit(data) : unlessRefused([ObjectError], () => parseWholeCommit(data))
  if (commit === undefined) return
  const { tree, parents, message } = commit
  const header = `tree ${tree}\n${parents.map((parent) => `parent ${parent}\n`).join('')}`
  assert.equal(data.toString('latin1', 0, header.length).toLowerCase(), header)
  assert(data.toString('utf8').endsWith(message))
  if (links !== undefined) assert.deepEqual(links, [`${tree} 2`, ...parents.map((parent) => `${parent} 1`)])
}

function fuzzTag(data: Buffer): void {
  const isTaken = checkObject(OBJECT_TYPE.tag, data) === undefined
  const links = linksOf(OBJECT_TYPE.tag, data, isTaken)
  const tag = isTaken ? parseTag(data) : unlessRefused([ObjectError], () => parseTag(data))
  if (tag === undefined) return
  const header = `object ${tag.object}\ntype ${tag.type}\n`
  assert.equal(data.toString('latin1', 0, header.length).toLowerCase(), header)
  if (links !== undefined) assert.deepEqual(links, [`${tag.object} ${OBJECT_TYPE[tag.type]}`])
}

function fuzzTree(data: Buffer): void {
  const special: number[] = []
  const isTaken = checkObject(OBJECT_TYPE.tree, data, (_file, oidAt) => special.push(oidAt)) === undefined
  const links = linksOf(OBJECT_TYPE.tree, data, isTaken)
  const entries = readTree(data)
  assert.equal(links === undefined, entries === undefined, 'two readers do not agree on whether this is a tree')
  if (links === undefined || entries === undefined) return
  assert.deepEqual(
    links,
    entries.flatMap(({ oid, target: type }) => (type === undefined ? [] : [`${oid} ${type}`])),
  )
  if (!isTaken) return
  checkTreeOrder(entries)
  for (const oidAt of special) assert(entries.some((entry) => entry.oidAt === oidAt))
}

/** @returns what the object names, each with the type that it is named as; undefined: it cannot be walked */
function linksOf(type: number, data: Buffer, isTaken: boolean): string[] | undefined {
  const links: string[] = []
  const walk = (): string[] => {
    forEachLink(type, data, (oids, at, expected) => links.push(`${oids.toString('hex', at, at + 20)} ${expected}`))
    return links
  }
  // What fsck takes is stored, and read by everything that walks: it must not throw there.
  return isTaken ? walk() : unlessRefused([ObjectError], walk)
}

function seedsOf({ name, type, bytes, listing }: GitObject): [string, Buffer][] {
  const plain = seedOf(name, type, bytes)
  if (listing === undefined) return [plain]
  const lines = Buffer.from(listing)
  return [
    plain,
    seedOf(`${name} in lines`, 'sorted tree in lines', lines),
    seedOf(`${name} as it is in lines`, 'tree in lines', lines),
  ]
}

function seedOfFile({ name, bytes }: NamedBytes): [string, Buffer] {
  return seedOf(name, name, bytes)
}

function seedOf(name: string, kind: string, bytes: Buffer): [string, Buffer] {
  return [name, Buffer.concat([Buffer.of(KINDS.indexOf(kind)), bytes])]
}
