import assert from 'node:assert/strict'
import { GutsError } from '../../errors.ts'
import type { ByteSource } from '../../git/pack/source.ts'
import { FileSource } from '../../storage/objects/pack-file.ts'

/**
 * How far a file has come that one thread writes and another one reads meanwhile: one number in shared memory, so that
 * the reader can wait for it, and both always see bytes and state of one moment.
 */

const STATE = { coming: 0n, hurried: 1n, ended: 2n, givenUp: 3n } as const
const STATES = 4n
/** Whoever waits for a client longer than this in all, does without the head start: a thread has other things to do. */
const WAIT_MS_MAX = 30_000

/** The reader goes on no longer: nothing is known of the file. */
export class GivenUpError extends GutsError<{ readonly code: 'arrival_given_up' }> {}

/** The writer's side. */
export class Arrival {
  readonly shared = new SharedArrayBuffer(8)
  readonly #word = new BigInt64Array(this.shared)
  #bytes = 0
  #state: bigint = STATE.coming

  /** @param bytes that are in the file from its beginning on, and no fewer than before */
  reached(bytes: number): void {
    assert(bytes >= this.#bytes)
    this.#bytes = bytes
    this.#tell()
  }

  /** Somebody else wants the thread: where the reader would have to wait from now on, it gives up. */
  hurry(): void {
    if (this.#state === STATE.coming) this.#become(STATE.hurried)
  }

  /** No more bytes will come. */
  end(): void {
    if (this.#state !== STATE.givenUp) this.#become(STATE.ended)
  }

  /** Nobody wants to know any more. */
  giveUp(): void {
    this.#become(STATE.givenUp)
  }

  #become(state: bigint): void {
    this.#state = state
    this.#tell()
  }

  #tell(): void {
    Atomics.store(this.#word, 0, BigInt(this.#bytes) * STATES + this.#state)
    Atomics.notify(this.#word, 0)
  }
}

/** The reader's side, in a worker thread, which stands still while it waits. */
export class ArrivingSource implements ByteSource {
  bytes = Number.POSITIVE_INFINITY
  readonly #word: BigInt64Array
  readonly #file: FileSource
  #waitedMs = 0

  constructor(path: string, shared: SharedArrayBuffer) {
    this.#word = new BigInt64Array(shared)
    this.#file = new FileSource(path)
  }

  /** @throws GivenUpError */
  reach(end: number): void {
    while (this.bytes === Number.POSITIVE_INFINITY) {
      const word = Atomics.load(this.#word, 0)
      const [bytes, state] = [Number(word / STATES), word % STATES]
      if (state === STATE.ended) this.bytes = bytes
      else if (state === STATE.givenUp) throw givenUp()
      else if (bytes >= end) return
      else if (state === STATE.hurried || this.#waitedMs >= WAIT_MS_MAX) throw givenUp()
      else this.#wait(word)
    }
  }

  read(target: Buffer, position: number): number {
    return this.#file.read(target, position)
  }

  close(): void {
    this.#file.close()
  }

  #wait(word: bigint): void {
    const startedAtMs = performance.now()
    Atomics.wait(this.#word, 0, word, WAIT_MS_MAX - this.#waitedMs)
    this.#waitedMs += performance.now() - startedAtMs
  }
}

function givenUp(): GivenUpError {
  return new GivenUpError({ code: 'arrival_given_up' }, 'The rest of the file was not waited for')
}
