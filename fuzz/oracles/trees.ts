/** A second reader of trees, by a regular expression, and what is true of every tree that fsck takes. */
import assert from 'node:assert/strict'

export interface TreeEntry {
  readonly name: string
  readonly isDirectory: boolean
  readonly oid: string
  readonly oidAt: number
  /** The type of object that is named, 1–4; undefined: one of another repository. */
  readonly target: number | undefined
}

/** @returns undefined where it is no tree */
export function readTree(data: Buffer): TreeEntry[] | undefined {
  const entry = /([0-7]+) ([^\0]+)\0([^]{20})/y
  const text = data.toString('latin1')
  const entries: TreeEntry[] = []
  while (entry.lastIndex < text.length) {
    const [, mode = '', name = '', oid = ''] = entry.exec(text) ?? []
    if (mode === '') return undefined
    // git keeps sixteen bits: five digits and one bit of the one before them.
    const bits = Number(`0o${mode.slice(-6)}`) & 0xffff
    const isDirectory = (bits & 0o170000) === 0o040000
    const isFile = [0o100000, 0o120000].includes(bits & 0o170000)
    const target = isDirectory ? 2 : isFile ? 3 : undefined
    const oidAt = entry.lastIndex - 20
    entries.push({ name, isDirectory, oid: Buffer.from(oid, 'latin1').toString('hex'), oidAt, target })
  }
  return entries
}

/** Sorted as git sorts, each name once, and none that leads out of the work tree or into `.git`. */
export function checkTreeOrder(entries: readonly TreeEntry[]): void {
  const keys = entries.map(({ name, isDirectory }) => (isDirectory ? `${name}/` : name))
  for (const [at, key] of keys.slice(1).entries()) assert((keys[at] ?? '') < key, 'a tree is taken that is not sorted')
  assert.equal(new Set(entries.map(({ name }) => name)).size, entries.length)
  for (const { name } of entries) assert.doesNotMatch(name, /^\.{1,2}$|^\.git$|\//i)
}
