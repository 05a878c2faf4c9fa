/**
 * Where a name is in a sorted list of them, 20 bytes each: as pack indexes and commit-graphs hold them, behind a
 * fan-out of 256 sums.
 */
export class SortedNames {
  readonly #bytes: Buffer
  readonly #fanoutAt: number
  readonly #namesAt: number

  /** @param fanoutAt where 256 numbers of 32 bits begin that do not fall */
  constructor(bytes: Buffer, fanoutAt: number, namesAt: number) {
    this.#bytes = bytes
    this.#fanoutAt = fanoutAt
    this.#namesAt = namesAt
  }

  get count(): number {
    return this.#upTo(255)
  }

  /**
   * Names are hashes, so where one lies can be guessed from its first bytes; who would make names for which the guesses
   * are bad makes us search by halves.
   *
   * @returns the name's rank, or -1
   */
  rankOf(oid: Buffer, at = 0): number {
    const first = oid[at] as number
    let low = first === 0 ? 0 : this.#upTo(first - 1)
    let high = this.#upTo(first)
    const head = wordAt(oid, at)
    // Of the names before `low` and from `high` on, that these lie between.
    let lowHead = first * 2 ** 24
    let highHead = lowHead + 2 ** 24
    for (let looks = 0; low < high; looks++) {
      const share = looks < GUESSES_MAX ? (head - lowHead) / (highHead - lowHead) : 0.5
      // Within bounds also where a file was damaged, and its names are in no order.
      const middle = Math.max(low, Math.min(high - 1, low + Math.floor(share * (high - low))))
      const middleHead = wordAt(this.#bytes, this.#namesAt + middle * 20)
      const order = head === middleHead ? this.#compare(oid, at, middle) : head - middleHead
      if (order === 0) return middle
      if (order < 0) {
        high = middle
        highHead = middleHead
      } else {
        low = middle + 1
        lowHead = middleHead
      }
      // All that is left begins with the same bytes: there is nothing to guess from.
      if (highHead <= lowHead) looks = GUESSES_MAX
    }
    return -1
  }

  /** @returns the name's 20 bytes, a part of the list */
  at(rank: number): Buffer {
    const start = this.#namesAt + rank * 20
    return this.#bytes.subarray(start, start + 20)
  }

  /** Copies the name into `target` at `at`. */
  copy(rank: number, target: Buffer, at: number): void {
    const start = this.#namesAt + rank * 20
    this.#bytes.copy(target, at, start, start + 20)
  }

  /** @returns 40 hex digits */
  hexAt(rank: number): string {
    const start = this.#namesAt + rank * 20
    return this.#bytes.toString('hex', start, start + 20)
  }

  /** Of names that begin with the same four bytes. */
  #compare(oid: Buffer, at: number, rank: number): number {
    const start = this.#namesAt + rank * 20
    // A call of `compare` costs several times this loop.
    for (let i = 4; i < 20; i++) {
      const difference = (oid[at + i] as number) - (this.#bytes[start + i] as number)
      if (difference !== 0) return difference
    }
    return 0
  }

  #upTo(byte: number): number {
    return this.#bytes.readUInt32BE(this.#fanoutAt + byte * 4)
  }
}

/** A call of `readUInt32BE` looks at more than the bytes. */
function wordAt(bytes: Buffer, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

/** As many as are enough for a million names that are hashes. */
const GUESSES_MAX = 8

/** @returns whether the 256 sums at `fanoutAt` never fall, so that the last of them is the number of names */
export function isFanout(bytes: Buffer, fanoutAt: number): boolean {
  for (let byte = 1; byte < 256; byte++) {
    if (bytes.readUInt32BE(fanoutAt + byte * 4) < bytes.readUInt32BE(fanoutAt + byte * 4 - 4)) return false
  }
  return true
}

/** Writes the fan-out of names that are sorted. */
export function writeFanout(target: Buffer, fanoutAt: number, names: Buffer, count: number): void {
  const counts = new Uint32Array(256)
  for (let rank = 0; rank < count; rank++) counts[names[rank * 20] as number]! += 1
  for (let byte = 0, sum = 0; byte < 256; byte++) {
    target.writeUInt32BE((sum += counts[byte] as number), fanoutAt + byte * 4)
  }
}
