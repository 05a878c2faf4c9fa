/** Buffers of one size that are used again: to get memory for each transfer anew keeps the collector busy. */
export class BufferPool {
  readonly #bytes: number
  readonly #idleMax: number
  readonly #idle: Buffer[] = []

  /** @param idleMax of buffers that nobody uses, more are let go */
  constructor(bytes: number, idleMax: number) {
    this.#bytes = bytes
    this.#idleMax = idleMax
  }

  /** @returns a buffer with whatever was in it */
  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(this.#bytes)
  }

  /** @param buffer that nothing reads or writes any more */
  give(buffer: Buffer): void {
    if (this.#idle.length < this.#idleMax) this.#idle.push(buffer)
  }
}
