import { ObjectError } from './error.ts'
import { HeaderLines } from './header-lines.ts'
import { OBJECT_TYPES, type ObjectTypeName } from './type.ts'

export interface Tag {
  /** 40 hex digits */
  readonly object: string
  readonly type: ObjectTypeName
  readonly tag: string
}

/** @throws ObjectError tag_invalid */
export function parseTag(data: Buffer): Tag {
  const lines = new HeaderLines(data)
  const object = lines.take('object')
  if (object === undefined || !/^[0-9a-f]{40}$/i.test(object)) throw invalid('it names no object')
  const type = lines.take('type')
  const known = OBJECT_TYPES.find((name) => name === type)
  if (known === undefined) throw invalid('it names no type of object')
  return { object: object.toLowerCase(), type: known, tag: lines.take('tag') ?? '' }
}

function invalid(reason: string): ObjectError {
  return new ObjectError({ code: 'tag_invalid', reason }, `A tag is invalid: ${reason}`)
}
