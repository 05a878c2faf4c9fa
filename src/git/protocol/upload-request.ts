/** What a fetch asks for, in protocol versions 0 and 1 (gitprotocol-pack, "Packfile Negotiation"). */
import type { PktLine } from '../pkt-line.ts'
import { lineText, parseCapabilities, parseOid } from './capabilities.ts'
import { overLimit, unexpectedLine } from './error.ts'
import { HistoryArguments, type HistoryLimits, type HistoryRequest } from './history-arguments.ts'

export type FetchLimits = HistoryLimits

export interface UploadRequest extends HistoryRequest {
  /** 40 hex digits each; empty: the client wants nothing after all. */
  readonly wants: readonly string[]
  readonly haves: readonly string[]
  readonly capabilities: ReadonlyMap<string, string>
  /** The client has said what it has, and waits for the pack. */
  readonly done: boolean
}

/** Takes the lines of one request, one after another; all of its state is in them (smart HTTP is stateless). */
export class UploadRequestParser {
  readonly #limits: FetchLimits
  readonly #wants: string[] = []
  readonly #haves: string[] = []
  readonly #history: HistoryArguments
  #capabilities: ReadonlyMap<string, string> = new Map()
  #section: 'wants' | 'haves' | 'end' = 'wants'
  #done = false
  #wentOn = false

  constructor(limits: FetchLimits) {
    this.#limits = limits
    this.#history = new HistoryArguments(limits)
  }

  /** @returns whether the request is complete. @throws ProtocolError */
  take(line: PktLine): boolean {
    if (this.#section === 'end') throw unexpectedLine('nothing after the end of the request')
    this.#wentOn = this.#section === 'haves'
    if (line.type === 'flush') {
      // The flush that ends the wants; without any, or after haves, the one that ends this round.
      this.#section = this.#section === 'wants' && this.#wants.length > 0 ? 'haves' : 'end'
      return this.#section === 'end'
    }
    if (line.type !== 'data') throw unexpectedLine('a line of the negotiation')
    const text = lineText(line.payload)
    if (this.#section === 'wants') this.#takeWant(text)
    else if (text === 'done') {
      this.#done = true
      this.#section = 'end'
    } else this.#takeHave(text)
    return this.#done
  }

  /** The client waits to hear where history ends before it says anything else. */
  get endedAfterWants(): boolean {
    return this.#section === 'haves' && !this.#wentOn
  }

  request(): UploadRequest {
    return {
      wants: this.#wants,
      haves: this.#haves,
      capabilities: this.#capabilities,
      done: this.#done,
      ...this.#history.request(this.#capabilities.has('deepen-relative')),
    }
  }

  #takeWant(text: string): void {
    // They come after the wants, which C git does not insist on.
    if (this.#history.take(text)) return
    if (!text.startsWith('want ')) throw unexpectedLine('a want')
    if (this.#wants.length >= this.#limits.wantsMax) throw overLimit('wants', 'max_wants', this.#limits.wantsMax)
    // Capabilities follow the first want.
    const [, oid = '', rest = ''] = /^want ([^ ]*)(?: (.*))?$/s.exec(text)!
    if (this.#wants.length === 0) this.#capabilities = parseCapabilities(rest)
    this.#wants.push(parseOid(oid))
  }

  #takeHave(text: string): void {
    if (!text.startsWith('have ')) throw unexpectedLine('a have')
    if (this.#haves.length >= this.#limits.havesMax) throw overLimit('haves', 'max_haves', this.#limits.havesMax)
    this.#haves.push(parseOid(text.slice('have '.length)))
  }
}
