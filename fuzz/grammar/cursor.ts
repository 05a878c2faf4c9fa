/** Reads the fuzzer's bytes as choices. It never ends: past the last byte every choice is 0 and every piece empty. */
export class Cursor {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  /** At most `length` bytes. */
  take(length: number): Buffer {
    const piece = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += piece.length
    return piece
  }

  rest(): Buffer {
    return this.take(Number.MAX_SAFE_INTEGER)
  }
}
