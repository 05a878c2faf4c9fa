/** Reads the answer to a fetch of protocol 2, and believes nothing of it: neither that it is whole nor what it says. */
import { createHash } from 'node:crypto'
import { decodePktLine } from '../../src/git/pkt-line.ts'
import { BANDS } from '../../src/git/protocol/side-band.ts'

const CHECKSUM_BYTES = 20
const HEADER_BYTES = 12

export class PackAnswer {
  readonly #hash = createHash('sha1')
  #rest: Buffer = Buffer.alloc(0)
  #isPack = false
  #ended = false
  #head: Buffer = Buffer.alloc(0)
  /** The last bytes so far: at the end they are the checksum. */
  #last: Buffer = Buffer.alloc(0)

  /** @throws Error what the host said, where it gave up; ProtocolError */
  take(bytes: Buffer): void {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    for (;;) {
      const step = decodePktLine(rest)
      if (!step.complete) break
      rest = rest.subarray(step.consumedBytes)
      if (step.line.type === 'data') this.#takeLine(step.line.payload)
      else if (step.line.type === 'flush') this.#ended = true
    }
    // A view of a buffer that is read into again.
    this.#rest = Buffer.from(rest)
  }

  /** @returns objects that the pack holds. @throws Error where it is not whole */
  finish(): number {
    if (!this.#ended || this.#rest.length > 0) throw new Error('The answer has no end')
    if (this.#head.toString('latin1', 0, 4) !== 'PACK') throw new Error('The answer holds no pack')
    if (!this.#hash.digest().equals(this.#last)) throw new Error("The pack's checksum is not that of its bytes")
    return this.#head.readUInt32BE(8)
  }

  #takeLine(line: Buffer): void {
    if (!this.#isPack) {
      this.#isPack = line.toString('latin1') === 'packfile\n'
      return
    }
    const payload = line.subarray(1)
    if (line[0] === BANDS.error) throw new Error(`The host gave up: ${payload.toString()}`)
    if (line[0] === BANDS.pack) this.#takePack(payload)
  }

  #takePack(bytes: Buffer): void {
    if (this.#head.length < HEADER_BYTES) this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEADER_BYTES)])
    const all = Buffer.concat([this.#last, bytes])
    const end = Math.max(0, all.length - CHECKSUM_BYTES)
    this.#hash.update(all.subarray(0, end))
    this.#last = all.subarray(end)
  }
}
