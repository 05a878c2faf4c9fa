/** Reads a file in lines while another process writes it. */
import { closeSync, openSync, readSync } from 'node:fs'

const PIECE_BYTES = 65_536
const LF = 0x0a

export class FollowedFile implements Disposable {
  readonly #file: number
  readonly #onLine: (line: string) => void
  readonly #piece = Buffer.allocUnsafe(PIECE_BYTES)
  /** Of the line that has no end yet. */
  #begun: Buffer[] = []
  #position = 0

  constructor(path: string, onLine: (line: string) => void) {
    this.#file = openSync(path, 'r')
    this.#onLine = onLine
  }

  /** What came since the last time. */
  read(): void {
    for (;;) {
      const bytes = readSync(this.#file, this.#piece, 0, PIECE_BYTES, this.#position)
      if (bytes === 0) return
      this.#position += bytes
      this.#take(this.#piece.subarray(0, bytes))
    }
  }

  /** Nothing more comes: a last line needs no end. */
  finish(): void {
    this.read()
    if (this.#begun.length > 0) this.#say(Buffer.alloc(0))
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }

  #take(piece: Buffer): void {
    let at = 0
    for (let end = piece.indexOf(LF); end >= 0; end = piece.indexOf(LF, at)) {
      this.#say(piece.subarray(at, end))
      at = end + 1
    }
    if (at < piece.length) this.#begun.push(Buffer.from(piece.subarray(at)))
  }

  #say(rest: Buffer): void {
    const line = Buffer.concat([...this.#begun, rest]).toString()
    this.#begun = []
    this.#onLine(line)
  }
}
