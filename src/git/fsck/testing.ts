/** Objects for the tests of fsck, and C git's verdict on them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'

import { OBJECT_TYPE, typeNameOf } from '../object/type.ts'

export interface TestObject {
  /** 1–4 */
  readonly type: number
  readonly data: Buffer
}

export interface TreeEntry {
  readonly mode?: string
  readonly name: string | Buffer
  /** 40 hex digits; a file that is there when left out */
  readonly oid?: string
}

export function oidOf({ type, data }: TestObject): string {
  return createHash('sha1')
    .update(`${typeNameOf(type)} ${data.length}\0`)
    .update(data)
    .digest('hex')
}

export const blob = (data: string | Buffer): TestObject => ({ type: OBJECT_TYPE.blob, data: Buffer.from(data) })
export const commit = (text: string): TestObject => ({ type: OBJECT_TYPE.commit, data: Buffer.from(text, 'latin1') })
export const tag = (text: string): TestObject => ({ type: OBJECT_TYPE.tag, data: Buffer.from(text, 'latin1') })

export function tree(...entries: readonly TreeEntry[]): TestObject {
  return {
    type: OBJECT_TYPE.tree,
    data: Buffer.concat(
      entries.flatMap(({ mode = '100644', name, oid = FILE_OID }) => [
        Buffer.from(`${mode} `),
        Buffer.from(name),
        Buffer.of(0),
        Buffer.from(oid, 'hex'),
      ]),
    ),
  }
}

export const FILE = blob('a file\n')
export const FILE_OID = oidOf(FILE)
export const FOLDER = tree({ name: 'file' })
export const FOLDER_OID = oidOf(FOLDER)
export const WHO = 'A U Thor <author@example.com> 1700000000 +0100'
export const ROOT = commit(`tree ${FOLDER_OID}\nauthor ${WHO}\ncommitter ${WHO}\n\nroot\n`)
export const ROOT_OID = oidOf(ROOT)
/** What objects of tests may point to. */
export const GROUND: readonly TestObject[] = [FILE, FOLDER, ROOT]

/** The object could not even be read, which git says without an id. */
export const UNREADABLE = 'unreadable'

/** The verdict must not depend on whose machine this is. */
const GIT_ENVIRONMENT = ['LC_ALL=C', 'GIT_CONFIG_NOSYSTEM=1', 'GIT_CONFIG_GLOBAL=/dev/null']

/** @returns for each object that `git fsck --strict` has a complaint about, by its id, the ids of its complaints */
export function gitFsck(objects: readonly TestObject[]): Map<string, Set<string>> {
  return inRepository((repository) => {
    for (const object of objects) writeLoose(repository, object)
    const { stderr, status } = git(repository, ['fsck', '--strict', '--no-dangling'])
    assert.ok(status !== null && status < 128, stderr)
    const complaints = new Map<string, Set<string>>()
    for (const line of stderr.split('\n')) {
      const [, oid, id] =
        /^error in \w+ ([0-9a-f]{40}): (\w+):/.exec(line) ??
        /^error: ([0-9a-f]{40}): object (could) not/.exec(line) ??
        []
      if (oid === undefined || id === undefined) continue
      const ids = complaints.get(oid) ?? new Set()
      complaints.set(oid, ids.add(id === 'could' ? UNREADABLE : id))
    }
    return complaints
  })
}

/** @returns whether `git index-pack --strict` takes a pack of these objects */
export function gitIndexPackAccepts(objects: readonly TestObject[]): boolean {
  return inRepository(
    (repository) => git(repository, ['index-pack', '--strict', '--stdin'], packOf(objects)).status === 0,
  )
}

function inRepository<T>(use: (repository: string) => T): T {
  const repository = mkdtempSync(join(tmpdir(), 'guts-fsck-'))
  try {
    // The least that git takes for a repository.
    for (const folder of ['objects', 'objects/pack', 'refs']) mkdirSync(join(repository, folder))
    writeFileSync(join(repository, 'HEAD'), 'ref: refs/heads/main\n')
    return use(repository)
  } finally {
    rmSync(repository, { recursive: true })
  }
}

function git(repository: string, args: readonly string[], input?: Buffer): { stderr: string; status: number | null } {
  return spawnSync('env', [...GIT_ENVIRONMENT, 'git', '--git-dir', repository, ...args], {
    encoding: 'latin1',
    maxBuffer: 2 ** 28,
    ...(input === undefined ? {} : { input }),
  })
}

function writeLoose(repository: string, object: TestObject): void {
  const oid = oidOf(object)
  const folder = join(repository, 'objects', oid.slice(0, 2))
  mkdirSync(folder, { recursive: true })
  const header = Buffer.from(`${typeNameOf(object.type)} ${object.data.length}\0`)
  writeFileSync(join(folder, oid.slice(2)), deflateSync(Buffer.concat([header, object.data])))
}

function packOf(objects: readonly TestObject[]): Buffer {
  const distinct = Array.from(new Map(objects.map((object) => [oidOf(object), object])).values())
  const header = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1')
  header.writeUInt32BE(distinct.length, 8)
  const parts = [header]
  for (const { type, data } of distinct) {
    const head: number[] = []
    let byte = (type << 4) | (data.length & 15)
    for (let rest = Math.floor(data.length / 16); rest > 0; rest = Math.floor(rest / 128)) {
      head.push(byte | 0x80)
      byte = rest % 128
    }
    parts.push(Buffer.from([...head, byte]), deflateSync(data))
  }
  const pack = Buffer.concat(parts)
  return Buffer.concat([pack, createHash('sha1').update(pack).digest()])
}
