import { parseTag } from '../object/tag.ts'
import { OBJECT_TYPE } from '../object/type.ts'

/** Objects by name; a name that is asked for here is known to exist. */
export interface ObjectReader {
  /** 1 commit, 2 tree, 3 blob, 4 tag; throws if the object is missing */
  read(oid: Buffer, at: number): { readonly type: number; readonly data: Buffer }
}

export interface SizedObjectReader extends ObjectReader {
  /** Bytes of the object, without inflating it where the pack tells. */
  sizeOf(oid: Buffer, at: number): number
}

/** @returns the commit that a tag, or a tag of a tag, or the object itself is; undefined for a tree or a blob */
export function peelToCommit(reader: ObjectReader, oid: Buffer): Buffer | undefined {
  for (let name = oid; ;) {
    const { type, data } = reader.read(name, 0)
    if (type === OBJECT_TYPE.commit) return name
    if (type !== OBJECT_TYPE.tag) return undefined
    name = fromHex(parseTag(data).object)
  }
}

export function fromHex(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}
