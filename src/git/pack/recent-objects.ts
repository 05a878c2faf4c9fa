/**
 * git writes a base and what is made of it together: of the 107,794 deltas of a pack of 165,277 objects all find their base
 * in a quarter of this.
 */
const RING_BYTES_MAX = 4 * 1024 * 1024
const RING_BYTES_MIN = 64 * 1024
/** For each byte of a pack: what it makes is mostly less. */
const RING_BYTES_OF_BYTE = 8
/** Of the ring: one large object would be all that is kept. */
const OBJECT_PART = 1 / 8
/** Entries that may be remembered at a time. */
const PLACES = 2 ** 16

/**
 * The objects that came by last, for the deltas that follow them: a ring of bytes, in which the oldest are written over.
 * Nothing is allocated for an object, and memory grows with the pack only as long as it is small.
 */
export class RecentObjects {
  readonly #ring: Buffer
  /** Bytes that were ever given out, gaps at the ring's end included. */
  #given = 0
  /** By the last bits of an entry's number: which entry it is, where it begins (counted as `#given`), and its bytes. */
  readonly #entries: Int32Array
  readonly #starts: Float64Array
  readonly #sizes: Uint32Array

  /**
   * Most pushes are small, and memory that is asked for anew for each of them has to be collected again.
   *
   * @param packBytes infinite where nobody knows
   * @param objects that the pack declares
   */
  constructor(packBytes: number, objects: number) {
    const places = powerOfTwo(Math.min(objects, PLACES))
    this.#ring = Buffer.allocUnsafeSlow(
      powerOfTwo(Math.min(Math.max(packBytes * RING_BYTES_OF_BYTE, RING_BYTES_MIN), RING_BYTES_MAX)),
    )
    this.#entries = new Int32Array(places).fill(-1)
    this.#starts = new Float64Array(places)
    this.#sizes = new Uint32Array(places)
  }

  /** Whether an object of so many bytes can be kept at all. */
  takes(bytes: number): boolean {
    return bytes < this.#ring.length * OBJECT_PART
  }

  /**
   * Makes room for an object that `takes` said yes to, and remembers it as this entry's.
   *
   * @returns room for one byte more, which `inflateAt` wants
   */
  add(entry: number, bytes: number): Buffer {
    const ringBytes = this.#ring.length
    const at = this.#given % ringBytes
    const gap = at + bytes + 1 > ringBytes ? ringBytes - at : 0
    const start = this.#given + gap
    this.#given = start + bytes + 1
    const place = entry & (this.#entries.length - 1)
    this.#entries[place] = entry
    this.#starts[place] = start
    this.#sizes[place] = bytes
    return this.#ring.subarray(start % ringBytes, (start % ringBytes) + bytes + 1)
  }

  /** Whether the entry's object will still be there when `bytes` more were added. */
  has(entry: number, bytes: number): boolean {
    const place = entry & (this.#entries.length - 1)
    // At worst there is a gap as large as what is added.
    const givenMax = this.#given + 2 * (bytes + 1)
    return this.#entries[place] === entry && (this.#starts[place] as number) + this.#ring.length >= givenMax
  }

  /** The bytes of an object that it has, valid until others were added in their place. */
  get(entry: number): Buffer {
    const place = entry & (this.#entries.length - 1)
    const start = (this.#starts[place] as number) % this.#ring.length
    return this.#ring.subarray(start, start + (this.#sizes[place] as number))
  }
}

/** The first that is not less. */
function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)))
}
