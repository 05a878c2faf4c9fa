/**
 * git writes a base and what is made of it together: of the 107,794 deltas of a pack of 165,277 objects all find their base
 * in a quarter of this.
 */
const RING_BYTES = 4 * 1024 * 1024
/** One large object would be all that is kept. */
const OBJECT_BYTES_MAX = RING_BYTES / 8
/** Entries that may be remembered at a time, a power of two. */
const PLACES = 2 ** 16

/**
 * The objects that came by last, for the deltas that follow them: a ring of bytes, in which the oldest are written over.
 * Nothing is allocated for an object, and memory does not grow with the pack.
 */
export class RecentObjects {
  readonly #ring = Buffer.allocUnsafeSlow(RING_BYTES)
  /** Bytes that were ever given out, gaps at the ring's end included. */
  #given = 0
  /** By the last bits of an entry's number: which entry it is, where it begins (counted as `#given`), and its bytes. */
  readonly #entries = new Int32Array(PLACES).fill(-1)
  readonly #starts = new Float64Array(PLACES)
  readonly #sizes = new Uint32Array(PLACES)

  /** Whether an object of so many bytes can be kept at all. */
  static takes(bytes: number): boolean {
    return bytes < OBJECT_BYTES_MAX
  }

  /**
   * Makes room for an object that `takes` said yes to, and remembers it as this entry's.
   *
   * @returns room for one byte more, which `inflateAt` wants
   */
  add(entry: number, bytes: number): Buffer {
    const at = this.#given % RING_BYTES
    const gap = at + bytes + 1 > RING_BYTES ? RING_BYTES - at : 0
    const start = this.#given + gap
    this.#given = start + bytes + 1
    const place = entry & (PLACES - 1)
    this.#entries[place] = entry
    this.#starts[place] = start
    this.#sizes[place] = bytes
    return this.#ring.subarray(start % RING_BYTES, (start % RING_BYTES) + bytes + 1)
  }

  /** Whether the entry's object will still be there when `bytes` more were added. */
  has(entry: number, bytes: number): boolean {
    const place = entry & (PLACES - 1)
    // At worst there is a gap as large as what is added.
    const givenMax = this.#given + 2 * (bytes + 1)
    return this.#entries[place] === entry && (this.#starts[place] as number) + RING_BYTES >= givenMax
  }

  /** The bytes of an object that it has, valid until others were added in their place. */
  get(entry: number): Buffer {
    const place = entry & (PLACES - 1)
    const start = (this.#starts[place] as number) % RING_BYTES
    return this.#ring.subarray(start, start + (this.#sizes[place] as number))
  }
}
