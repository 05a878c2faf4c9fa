/** A second reader of bitmap files, written from gitformat-bitmap alone. */
import { readEwah } from './naive-ewah.ts'

const HEADER_BYTES = 32
const CHECKSUM_BYTES = 20

export interface NaiveBitmap {
  /** Of commits, trees, blobs and tags. */
  readonly types: readonly (readonly number[])[]
  /** Rank → what the commit reaches, sorted. */
  readonly reached: ReadonlyMap<number, readonly number[]>
}

/** Of a file with a right header and checksums. @returns undefined where any of its bit sets is none */
export function readBitmap(bytes: Buffer, objects: number): NaiveBitmap | undefined {
  const content = bytes.subarray(0, -CHECKSUM_BYTES)
  let at = HEADER_BYTES
  const next = (): readonly number[] | undefined => {
    const read = readEwah(content, at, objects)
    at = read?.end ?? content.length
    return read?.numbers
  }
  const types = [next(), next(), next(), next()]
  const all: ReadonlySet<number>[] = []
  const reached = new Map<number, readonly number[]>()
  for (let entry = 0; entry < content.readUInt32BE(8); entry++) {
    if (at + 6 > content.length) return undefined
    const [rank, back] = [content.readUInt32BE(at), content.readUInt8(at + 4)]
    at += 6
    const numbers = next()
    const base = back === 0 ? new Set<number>() : all[entry - back]
    if (numbers === undefined || base === undefined || back > 160 || rank >= objects) return undefined
    const given = new Set(numbers)
    const bits = new Set([...base, ...given].filter((number) => base.has(number) !== given.has(number)))
    all.push(bits)
    reached.set(
      rank,
      Array.from(bits).sort((a, b) => a - b),
    )
  }
  const known = types.filter((one) => one !== undefined)
  return known.length === 4 ? { types: known, reached } : undefined
}
