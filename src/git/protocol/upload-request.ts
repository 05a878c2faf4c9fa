/** What a fetch asks for, in protocol versions 0 and 1 (gitprotocol-pack, "Packfile Negotiation"). */
import type { PktLine } from '../pkt-line.ts'
import { lineText, parseCapabilities, parseOid } from './capabilities.ts'
import { overLimit, ProtocolError, unexpectedLine } from './error.ts'

export interface FetchLimits {
  readonly wantsMax: number
  readonly havesMax: number
}

export interface UploadRequest {
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
  #capabilities: ReadonlyMap<string, string> = new Map()
  #section: 'wants' | 'haves' | 'end' = 'wants'
  #done = false

  constructor(limits: FetchLimits) {
    this.#limits = limits
  }

  /** @returns whether the request is complete. @throws ProtocolError */
  take(line: PktLine): boolean {
    if (this.#section === 'end') throw unexpectedLine('nothing after the end of the request')
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

  request(): UploadRequest {
    return { wants: this.#wants, haves: this.#haves, capabilities: this.#capabilities, done: this.#done }
  }

  #takeWant(text: string): void {
    const unsupported = /^(shallow|deepen|deepen-since|deepen-not|filter) /.exec(text)?.[1]
    if (unsupported !== undefined) throw unsupportedFeature(unsupported)
    if (!text.startsWith('want ')) throw unexpectedLine('a want')
    if (this.#wants.length >= this.#limits.wantsMax) throw overLimit('wants', 'max_wants', this.#limits.wantsMax)
    // Capabilities follow the first want.
    const [, oid = '', rest = ''] = /^want ([^ ]*)(?: (.*))?$/s.exec(text) ?? []
    if (this.#wants.length === 0) this.#capabilities = parseCapabilities(rest)
    this.#wants.push(parseOid(oid))
  }

  #takeHave(text: string): void {
    if (!text.startsWith('have ')) throw unexpectedLine('a have')
    if (this.#haves.length >= this.#limits.havesMax) throw overLimit('haves', 'max_haves', this.#limits.havesMax)
    this.#haves.push(parseOid(text.slice('have '.length)))
  }
}

export function unsupportedFeature(feature: string): ProtocolError {
  return new ProtocolError({ code: 'feature_unsupported', feature }, `This server does not support ${feature}`)
}
