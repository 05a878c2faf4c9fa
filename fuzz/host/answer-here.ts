import assert from 'node:assert/strict'
import type { GitAnswer } from '../../src/transfer/git-request.ts'

/** An answer as it would go out, whose client reads at once. */
export class AnswerHere implements GitAnswer {
  begun = false
  ended = false
  readonly #pieces: Buffer[] = []
  #declaredBytes: number | undefined

  begin(bytes?: number): void {
    if (this.begun) return
    this.begun = true
    this.#declaredBytes = bytes
  }

  async write(...pieces: readonly Buffer[]): Promise<void> {
    this.#add(...pieces)
  }

  writeIfIdle(bytes: Buffer): void {
    this.#add(bytes)
  }

  async end(last?: Buffer): Promise<void> {
    if (last !== undefined) this.#add(last)
    this.ended = true
    const { length } = this.bytes
    assert.equal(this.#declaredBytes ?? length, length, 'the length that was declared is not the answer’s')
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  /** Buffers are used again. */
  #add(...pieces: readonly Buffer[]): void {
    assert(this.begun && !this.ended, 'an answer is written between its beginning and its end')
    for (const piece of pieces) this.#pieces.push(Buffer.from(piece))
  }
}
