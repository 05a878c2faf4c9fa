/** Filters as clients write them (git-rev-list, "--filter"; list-objects-filter-options.c). */
import { NO_FILTER, type ObjectFilter } from '../object-graph/filter.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { ProtocolError, unsupportedFeature } from './error.ts'

const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }
/** No object and no path is larger than that; more digits mean the same. */
const NUMBER_MAX = Number.MAX_SAFE_INTEGER

/** @throws ProtocolError line_unexpected, feature_unsupported */
export function parseFilterSpec(text: string): ObjectFilter {
  let filter = NO_FILTER
  // `combine:` may hold another one; each takes more bytes of the line, which bounds them all.
  const left = [text]
  for (let spec = left.pop(); spec !== undefined; spec = left.pop()) {
    if (spec.startsWith('combine:')) left.push(...spec.slice('combine:'.length).split('+').map(decode))
    else filter = both(filter, parseOne(spec))
  }
  return filter
}

function parseOne(spec: string): ObjectFilter {
  if (spec === 'blob:none') return { ...NO_FILTER, blobBytes: 0 }
  const [, kind = '', value = ''] = /^(blob:limit=|tree:|object:type=|sparse:oid=|sparse:path=)(.*)$/s.exec(spec) ?? []
  if (kind === 'blob:limit=') return { ...NO_FILTER, blobBytes: parseNumber(value) }
  if (kind === 'tree:') return { ...NO_FILTER, treeDepth: parseNumber(value) }
  if (kind === 'sparse:oid=') return { ...NO_FILTER, sparse: [value] }
  // A path of the server's own, which C git gave up as well.
  if (kind === 'sparse:path=') throw unsupportedFeature('sparse:path filters')
  const type = Object.hasOwn(OBJECT_TYPE, value) ? OBJECT_TYPE[value as keyof typeof OBJECT_TYPE] : undefined
  if (kind === 'object:type=' && type !== undefined) return { ...NO_FILTER, type }
  throw invalid()
}

/** As git reads numbers in its configuration: with a unit of k, m or g. */
function parseNumber(text: string): number {
  const [whole, digits = '', unit = ''] = /^([0-9]+)([kmg]?)$/i.exec(text) ?? []
  if (whole === undefined) throw invalid()
  return Math.min(NUMBER_MAX, Number(digits) * (UNIT_BYTES[unit.toLowerCase()] as number))
}

/** `%2B` and the like, by which a spec inside `combine:` is written. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid()
  }
}

function both(one: ObjectFilter, other: ObjectFilter): ObjectFilter {
  return {
    blobBytes: least(one.blobBytes, other.blobBytes),
    treeDepth: least(one.treeDepth, other.treeDepth),
    type: bothTypes(one.type, other.type),
    sparse: [...one.sparse, ...other.sparse],
  }
}

/** @returns 0 where nothing can be of both */
function bothTypes(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one === other ? one : 0
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)
}

function invalid(): ProtocolError {
  return new ProtocolError({ code: 'line_unexpected' }, 'The request is malformed: invalid filter-spec')
}
