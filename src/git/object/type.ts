import assert from 'node:assert/strict'

/** The four types of objects, in the order of their numbers in packs, which begin at 1 (gitformat-pack). */
export const OBJECT_TYPES = ['commit', 'tree', 'blob', 'tag'] as const

export type ObjectTypeName = (typeof OBJECT_TYPES)[number]

export const OBJECT_TYPE = { commit: 1, tree: 2, blob: 3, tag: 4 } as const satisfies Record<ObjectTypeName, number>

/** @param type 1–4 */
export function typeNameOf(type: number): ObjectTypeName {
  const name = OBJECT_TYPES[type - 1]
  assert(name !== undefined, `${type} is no type of object`)
  return name
}
