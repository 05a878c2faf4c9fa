import { decode, encode, Tokenizer, type Token, Type } from 'cborg'
import { GutsError } from '../errors.ts'

/** Deeper than anything of ours. */
const DEPTH_MAX = 8
/** Values in one message: a byte of it can become a hundred in memory. The largest entry of a log has fewer. */
export const CBOR_ITEMS_MAX = 700_000

export class CborError extends GutsError<{
  readonly code: 'cbor_oversize' | 'cbor_too_many' | 'cbor_too_deep' | 'cbor_malformed' | 'cbor_not_canonical'
}> {}

/** One value, one sequence of bytes (RFC 8949, 4.2.1): what is hashed and signed is what was meant. */
export function encodeCbor(value: unknown): Uint8Array {
  return encode(value)
}

/**
 * Reads what `encodeCbor` writes and nothing else: a second spelling of the same value is refused.
 *
 * @throws CborError
 */
export function decodeCbor(bytes: Uint8Array, bytesMax: number): unknown {
  if (bytes.length > bytesMax) {
    throw new CborError(
      { code: 'cbor_oversize' },
      `A message of ${bytes.length} bytes is over the limit of ${bytesMax}`,
    )
  }
  let value: unknown
  try {
    value = decode(bytes, { ...STRICT, tokenizer: new ShallowTokenizer(bytes, STRICT) })
  } catch (cause) {
    if (cause instanceof CborError) throw cause
    throw new CborError({ code: 'cbor_malformed' }, 'The message is not the CBOR that this protocol is made of', {
      cause,
    })
  }
  if (!Buffer.from(encode(value)).equals(bytes)) {
    throw new CborError({ code: 'cbor_not_canonical' }, 'The message is not in the one spelling that its value has')
  }
  return value
}

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
} as const

/** cborg reads what is nested by recursion; 100 kB of `[[[[…` would overflow the stack. */
class ShallowTokenizer extends Tokenizer {
  /** Of each container that is open, the values still to come. */
  readonly #open: number[] = []
  #items = 0

  override next(): Token {
    while (this.#open.at(-1) === 0) this.#open.pop()
    const token = super.next()
    if (++this.#items > CBOR_ITEMS_MAX) {
      throw new CborError({ code: 'cbor_too_many' }, `A message has at most ${CBOR_ITEMS_MAX} values`)
    }
    if (this.#open.length > 0) this.#open[this.#open.length - 1]! -= 1
    // Tags wrap a value without counting it; there are none in what we write.
    if (Type.equals(token.type, Type.tag)) throw new CborError({ code: 'cbor_malformed' }, 'A message has no tags')
    const isMap = Type.equals(token.type, Type.map)
    if (isMap || Type.equals(token.type, Type.array)) {
      this.#open.push(Number(token.value) * (isMap ? 2 : 1))
      if (this.#open.length > DEPTH_MAX) {
        throw new CborError({ code: 'cbor_too_deep' }, `A message nests at most ${DEPTH_MAX} levels`)
      }
    }
    return token
  }
}
