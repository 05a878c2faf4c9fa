/** Filters as clients write them (git-rev-list, "--filter"; list-objects-filter-options.c). */
import { NO_FILTER, type ObjectFilter } from '../object-graph/filter.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { ProtocolError, unexpectedLine, unsupportedFeature } from './error.ts'

const UNIT_BYTES: Readonly<Record<string, bigint>> = { '': 1n, k: 2n ** 10n, m: 2n ** 20n, g: 2n ** 30n }
/** C's `unsigned long`. */
const NUMBER_MAX = 2n ** 64n - 1n
/** No object and no path is larger than that; what is more means the same. */
const MEANT_MAX = BigInt(Number.MAX_SAFE_INTEGER)
/** Each level decodes all that is in it once more: a line of 64 KiB could hold 8,000, and kept the event loop for 0.5 s. */
const COMBINE_DEPTH_MAX = 20
/** More digits are too much, whatever they are written in, unless they are zeros. */
const DIGITS_MAX = 22

/** @throws ProtocolError line_unexpected, feature_unsupported */
export function parseFilterSpec(text: string): ObjectFilter {
  let filter = NO_FILTER
  const left = [{ spec: text, depth: 0 }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { spec, depth } = next
    if (!spec.startsWith('combine:')) {
      filter = both(filter, parseOne(spec))
      continue
    }
    if (depth === COMBINE_DEPTH_MAX) throw unexpectedLine(`at most ${COMBINE_DEPTH_MAX} combined filters in each other`)
    // One by one: as many parts as a line has room for may be more than a call has for arguments.
    for (const part of spec.slice('combine:'.length).split('+')) left.push({ spec: decode(part), depth: depth + 1 })
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

/** As git reads numbers in its configuration: decimal, octal behind a 0, or behind 0x, and with a unit of k, m or g. */
function parseNumber(text: string): number {
  // No part of the pattern can take what another one could: on a line of 64 KiB of zeros they would try all ways to share.
  const [, written = '', unit = ''] = /^[\t-\r ]*\+?(0x[0-9a-f]+|[0-9]+)([kmg]?)$/i.exec(text) ?? []
  if (written === '') throw invalid()
  const isHex = written[1] === 'x' || written[1] === 'X'
  const isOctal = !isHex && written[0] === '0'
  const digits = written.slice(isHex ? 2 : 0).replace(/^0+/, '')
  if (digits.length > DIGITS_MAX || (isOctal && /[89]/.test(digits))) throw invalid()
  const prefix = isHex ? '0x0' : isOctal ? '0o0' : '0'
  const number = BigInt(prefix + digits) * (UNIT_BYTES[unit.toLowerCase()] as bigint)
  if (number > NUMBER_MAX) throw invalid()
  return Number(number < MEANT_MAX ? number : MEANT_MAX)
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
