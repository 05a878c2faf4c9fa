import { BitSet, wordsFor } from './bit-set.ts'
import { bitmapInvalid } from './error.ts'

/**
 * Compressed bit sets as bitmap files hold them (gitformat-bitmap, "Appendix A: Serialization format for an EWAH
 * bitmap"; Lemire, Kaser and Aouiche, "Sorting improves word-aligned bitmap indexes", 2010): the number of bits, the
 * number of words, so many words of 64 bits, the place of the last run-length word.
 *
 * A run-length word says which bit a run is of (1 bit), how many words it has (32 bits), and how many words follow that
 * are as they are (31 bits).
 */

const HEAD_BYTES = 8
const TAIL_BYTES = 4

/** @returns where the bit set that begins at `at` ends, which is all that is looked at. @throws BitmapError */
export function ewahEnd(bytes: Buffer, at: number, limit = bytes.length): number {
  if (at + HEAD_BYTES > limit) throw bitmapInvalid('it ends within a bit set')
  const end = at + HEAD_BYTES + bytes.readUInt32BE(at + 4) * 8 + TAIL_BYTES
  if (end > limit) throw bitmapInvalid('it ends within a bit set')
  return end
}

/**
 * @param sizeMax numbers from it on are refused, before anything is allocated for them
 * @throws BitmapError
 */
export function decodeEwah(bytes: Buffer, at: number, sizeMax: number): BitSet {
  const end = ewahEnd(bytes, at) - TAIL_BYTES
  const words = new Uint32Array(wordsFor(sizeMax))
  let filled = 0
  for (let position = at + HEAD_BYTES; position < end;) {
    const high = bytes.readUInt32BE(position)
    const low = bytes.readUInt32BE(position + 4)
    position += 8
    const runWords = ((high & 1) * 2 ** 31 + (low >>> 1)) * 2
    const literalWords = (high >>> 1) * 2
    if (position + literalWords * 4 > end) throw bitmapInvalid('a run of a bit set goes beyond its end')
    if (filled + runWords + literalWords > words.length) throw bitmapInvalid('a bit set has more bits than objects')
    if ((low & 1) === 1) words.fill(0xffffffff, filled, filled + runWords)
    filled += runWords
    for (const stop = filled + literalWords; filled < stop; filled += 2, position += 8) {
      words[filled] = bytes.readUInt32BE(position + 4)
      words[filled + 1] = bytes.readUInt32BE(position)
    }
  }
  if (hasBitsFrom(words, sizeMax)) throw bitmapInvalid('a bit set has more bits than objects')
  return new BitSet(sizeMax, words)
}

function hasBitsFrom(words: Uint32Array, size: number): boolean {
  for (let number = size; number < words.length * 32; number++) {
    if (((words[number >>> 5] as number) & (1 << (number & 31))) !== 0) return true
  }
  return false
}

/** Numbers are of 32 bits, so that there are 2^26 words of 64 bits at most: no run has more than a run-length word can say. */
export function encodeEwah({ words }: BitSet): Buffer {
  const pairs = pairsOf(words)
  const bytes = Buffer.alloc(HEAD_BYTES + (2 * pairs + 1) * 8 + TAIL_BYTES)
  let at = HEAD_BYTES
  let runAt = at
  let pair = 0
  do {
    runAt = at
    at += 8
    const first = kindOf(words, pair)
    let runWords = 0
    if (first !== LITERAL)
      while (pair < pairs && kindOf(words, pair) === first) {
        runWords++
        pair++
      }
    let literalWords = 0
    while (pair < pairs && kindOf(words, pair) === LITERAL) {
      bytes.writeUInt32BE(words[2 * pair + 1] as number, at)
      bytes.writeUInt32BE(words[2 * pair] as number, at + 4)
      at += 8
      literalWords++
      pair++
    }
    bytes.writeUInt32BE(literalWords * 2, runAt)
    bytes.writeUInt32BE(((runWords << 1) | (first === ONES ? 1 : 0)) >>> 0, runAt + 4)
  } while (pair < pairs)
  bytes.writeUInt32BE(pairs * 64, 0)
  bytes.writeUInt32BE((at - HEAD_BYTES) / 8, 4)
  bytes.writeUInt32BE((runAt - HEAD_BYTES) / 8, at)
  return bytes.subarray(0, at + TAIL_BYTES)
}

const LITERAL = 2
const ONES = 1
const ZEROS = 0

function kindOf(words: Uint32Array, pair: number): number {
  const low = words[2 * pair] as number
  if (low !== (words[2 * pair + 1] as number)) return LITERAL
  return low === 0 ? ZEROS : low === 0xffffffff ? ONES : LITERAL
}

/** Words of 64 bits up to the last that is not empty. */
function pairsOf(words: Uint32Array): number {
  let pairs = words.length / 2
  while (pairs > 0 && kindOf(words, pairs - 1) === ZEROS) pairs--
  return pairs
}
