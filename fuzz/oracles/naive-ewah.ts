/** A second reader of EWAH bit sets, written from gitformat-bitmap alone: bit by bit, in words of 64. */

const WORD_BITS = 64
const HEAD_BYTES = 8
const TAIL_BYTES = 4

export interface NaiveBits {
  readonly numbers: readonly number[]
  /** Where the next one begins. */
  readonly end: number
}

/** @returns undefined where it is none of fewer than `size` bits */
export function readEwah(bytes: Buffer, at: number, size: number): NaiveBits | undefined {
  if (at + HEAD_BYTES > bytes.length) return undefined
  const end = at + HEAD_BYTES + bytes.readUInt32BE(at + 4) * 8
  if (end + TAIL_BYTES > bytes.length) return undefined
  const words: bigint[] = []
  for (let position = at + HEAD_BYTES; position < end;) {
    const marker = bytes.readBigUInt64BE(position)
    position += 8
    const run = (marker >> 1n) & 0xffff_ffffn
    const literals = Number(marker >> 33n)
    const wordsMax = Math.ceil(size / WORD_BITS)
    if (position + literals * 8 > end || run + BigInt(words.length + literals) > BigInt(wordsMax)) return undefined
    for (let word = 0n; word < run; word++) words.push((marker & 1n) === 1n ? 2n ** 64n - 1n : 0n)
    for (let word = 0; word < literals; word++, position += 8) words.push(bytes.readBigUInt64BE(position))
  }
  const numbers = words.flatMap((word, place) => bitsOf(word).map((bit) => place * WORD_BITS + bit))
  return numbers.some((number) => number >= size) ? undefined : { numbers, end: end + TAIL_BYTES }
}

function bitsOf(word: bigint): number[] {
  const bits: number[] = []
  for (let bit = 0; bit < WORD_BITS; bit++) if (((word >> BigInt(bit)) & 1n) === 1n) bits.push(bit)
  return bits
}
