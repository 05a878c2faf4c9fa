/** Whether all is there that refs need, by a reader of objects that shares nothing with the shipped one. */
import assert from 'node:assert/strict'
import { OBJECT_TYPE } from '../../src/git/object/type.ts'
import { readTree } from './trees.ts'

export interface Link {
  readonly oid: string
  /** 1–4 */
  readonly type: number
}

export interface PlainObject {
  /** 1–4 */
  readonly type: number
  readonly data: Buffer
}

/** @returns undefined: it is not there */
export type Look = (oid: string) => PlainObject | undefined

/** What an object names, by regular expressions. Commits of other repositories are not looked for. */
export function linksOf({ type, data }: PlainObject): Link[] {
  if (type === OBJECT_TYPE.blob) return []
  if (type === OBJECT_TYPE.tree) {
    return (readTree(data) ?? []).flatMap(({ oid, target }) => (target === undefined ? [] : [{ oid, type: target }]))
  }
  const text = data.toString('latin1')
  const [head = ''] = text.split('\n\n', 1)
  if (type === OBJECT_TYPE.tag) {
    const [, oid = '', name = ''] = /^object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)$/m.exec(head) ?? []
    return [{ oid, type: OBJECT_TYPE[name as keyof typeof OBJECT_TYPE] }]
  }
  return Array.from(head.matchAll(/^(tree|parent) ([0-9a-f]{40})$/gm), ([, word, oid = '']) => ({
    oid,
    type: word === 'tree' ? OBJECT_TYPE.tree : OBJECT_TYPE.commit,
  }))
}

/**
 * Names of all that is reached.
 *
 * @param stopAt what is known, with all that it reaches, and is not among the result
 * @throws AssertionError where something is missing, or is of another type than it is named as
 */
export function closureOf(tips: Iterable<string>, look: Look, stopAt: ReadonlySet<string> = new Set()): Set<string> {
  const reached = new Set<string>()
  const waiting: { readonly oid: string; readonly type: number | undefined }[] = Array.from(tips, (oid) => ({
    oid,
    type: undefined,
  }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { oid, type } = next
    if (reached.has(oid) || stopAt.has(oid)) continue
    const object = look(oid)
    assert(object !== undefined, `${oid} is reached and not there`)
    assert.equal(type ?? object.type, object.type, `${oid} is of another type than it is named as`)
    reached.add(oid)
    waiting.push(...linksOf(object))
  }
  return reached
}
