/** Requests of protocol version 2 (gitprotocol-v2, "Command Request"): a command, capabilities, its arguments. */
import type { PktLine } from '../pkt-line.ts'
import { lineText } from './capabilities.ts'
import { ProtocolError, unexpectedLine, unsupportedFeature } from './error.ts'
import type { FetchLimits } from './upload-request.ts'
import { type Command, FetchCommand, LsRefsCommand, ObjectInfoCommand, type V2Request } from './v2-commands.ts'

const CAPABILITY_LINES_MAX = 1_000

/** Takes the lines of one request, one after another. */
export class V2RequestParser {
  readonly #limits: FetchLimits
  #command: Command | undefined
  #section: 'capabilities' | 'arguments' = 'capabilities'
  #capabilityLines = 0
  #sessionId: string | undefined
  #ended = false

  constructor(limits: FetchLimits) {
    this.#limits = limits
  }

  /** @returns whether the request is complete. @throws ProtocolError */
  take(line: PktLine): boolean {
    if (this.#ended) throw unexpectedLine('nothing after the end of the request')
    if (line.type === 'flush') return (this.#ended = true)
    if (line.type === 'delim' && this.#section === 'capabilities') {
      this.#section = 'arguments'
      return false
    }
    if (line.type !== 'data') throw unexpectedLine('a line of the request')
    const text = lineText(line.payload)
    if (this.#section === 'capabilities') this.#takeCapability(text)
    else if (this.#command === undefined) throw unexpectedLine('a command')
    else this.#command.argument(text)
    return false
  }

  /** @returns undefined where nothing was asked: a flush and no more */
  request(): V2Request | undefined {
    return this.#command?.request()
  }

  /** By which the client names its process in its own traces, as it said it. */
  get sessionId(): string | undefined {
    return this.#sessionId
  }

  #takeCapability(text: string): void {
    this.#capabilityLines++
    if (this.#capabilityLines > CAPABILITY_LINES_MAX)
      throw unexpectedLine(`at most ${CAPABILITY_LINES_MAX} capabilities`)
    const [, key = '', value = ''] = /^([^=]*)(?:=(.*))?$/s.exec(text)!
    if (key === 'command') {
      if (this.#command !== undefined) throw unexpectedLine('one command')
      this.#command = this.#commandOf(value)
    } else if (key === 'object-format' && value !== 'sha1') throw unsupportedFeature('object formats other than sha1')
    else if (key === 'session-id') this.#sessionId = value
    else if (!['agent', 'object-format', 'server-option'].includes(key))
      throw unexpectedLine('a capability that was offered')
  }

  #commandOf(name: string): Command {
    if (name === 'ls-refs') return new LsRefsCommand()
    if (name === 'fetch') return new FetchCommand(this.#limits)
    if (name === 'object-info') return new ObjectInfoCommand(this.#limits)
    throw new ProtocolError({ code: 'feature_unsupported', feature: name.slice(0, 40) }, 'Unknown command')
  }
}
