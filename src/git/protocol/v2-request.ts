/** Requests of protocol version 2 (gitprotocol-v2, "Command Request"): a command, capabilities, its arguments. */
import type { PktLine } from '../pkt-line.ts'
import { lineText, parseOid } from './capabilities.ts'
import { overLimit, ProtocolError, unexpectedLine, unsupportedFeature } from './error.ts'
import { HistoryArguments } from './history-arguments.ts'
import type { FetchLimits, UploadRequest } from './upload-request.ts'

/** More prefixes than this and all refs are listed, as C git does. */
const REF_PREFIXES_MAX = 65_536
const CAPABILITY_LINES_MAX = 1_000

export interface LsRefsRequest {
  readonly command: 'ls-refs'
  readonly peel: boolean
  readonly symrefs: boolean
  readonly unborn: boolean
  /** Empty: all. */
  readonly prefixes: readonly string[]
}

export interface FetchV2Request extends UploadRequest {
  readonly command: 'fetch'
  /** Refs whose objects are wanted, by their full names (ref-in-want); each once. */
  readonly wantRefs: readonly string[]
  /** The client will say `done` itself, however much is in common. */
  readonly waitForDone: boolean
}

export type V2Request = LsRefsRequest | FetchV2Request

interface Command {
  argument(text: string): void
  request(): V2Request
}

/** Takes the lines of one request, one after another. */
export class V2RequestParser {
  readonly #limits: FetchLimits
  #command: Command | undefined
  #section: 'capabilities' | 'arguments' = 'capabilities'
  #capabilityLines = 0
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

  #takeCapability(text: string): void {
    this.#capabilityLines++
    if (this.#capabilityLines > CAPABILITY_LINES_MAX)
      throw unexpectedLine(`at most ${CAPABILITY_LINES_MAX} capabilities`)
    const [, key = '', value = ''] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? []
    if (key === 'command') {
      if (this.#command !== undefined) throw unexpectedLine('one command')
      this.#command = this.#commandOf(value)
    } else if (key === 'object-format' && value !== 'sha1') throw unsupportedFeature('object formats other than sha1')
    else if (!['agent', 'object-format', 'server-option'].includes(key))
      throw unexpectedLine('a capability that was offered')
  }

  #commandOf(name: string): Command {
    if (name === 'ls-refs') return new LsRefsCommand()
    if (name === 'fetch') return new FetchCommand(this.#limits)
    throw new ProtocolError({ code: 'feature_unsupported', feature: name.slice(0, 40) }, 'Unknown command')
  }
}

class LsRefsCommand implements Command {
  #peel = false
  #symrefs = false
  #unborn = false
  #prefixes: string[] = []
  #tooMany = false

  argument(text: string): void {
    if (text === 'peel') this.#peel = true
    else if (text === 'symrefs') this.#symrefs = true
    else if (text === 'unborn') this.#unborn = true
    else if (text.startsWith('ref-prefix ')) this.#addPrefix(text.slice('ref-prefix '.length))
    else throw unexpectedLine('an argument of ls-refs')
  }

  request(): LsRefsRequest {
    return {
      command: 'ls-refs',
      peel: this.#peel,
      symrefs: this.#symrefs,
      unborn: this.#unborn,
      prefixes: this.#prefixes,
    }
  }

  #addPrefix(prefix: string): void {
    if (this.#prefixes.length >= REF_PREFIXES_MAX) this.#tooMany = true
    if (this.#tooMany) this.#prefixes = []
    else this.#prefixes.push(prefix)
  }
}

/** Arguments that are plain words; the values are the capabilities of version 0 that mean the same. */
const FETCH_WORDS: Readonly<Record<string, string>> = {
  'thin-pack': 'thin-pack',
  'no-progress': 'no-progress',
  'include-tag': 'include-tag',
  'ofs-delta': 'ofs-delta',
  'deepen-relative': 'deepen-relative',
}

/** What other servers know: named to the client. Whatever else it said may be anything, and is not said back (I9). */
const FETCH_ARGUMENTS_ELSEWHERE = ['packfile-uris', 'sideband-all']

class FetchCommand implements Command {
  readonly #limits: FetchLimits
  readonly #wants: string[] = []
  readonly #haves: string[] = []
  readonly #wantRefs = new Set<string>()
  // Version 2 always frames its packs.
  readonly #capabilities = new Map([['side-band-64k', '']])
  readonly #history: HistoryArguments
  #done = false
  #waitForDone = false

  constructor(limits: FetchLimits) {
    this.#limits = limits
    this.#history = new HistoryArguments(limits)
  }

  argument(text: string): void {
    const { wantsMax, havesMax } = this.#limits
    const word = Object.hasOwn(FETCH_WORDS, text) ? FETCH_WORDS[text] : undefined
    if (text.startsWith('have ')) {
      if (this.#haves.length >= havesMax) throw overLimit('haves', 'max_haves', havesMax)
      this.#haves.push(parseOid(text.slice('have '.length)))
    } else if (text.startsWith('want ')) {
      this.#assertWantsBelow(wantsMax)
      this.#wants.push(parseOid(text.slice('want '.length)))
    } else if (text.startsWith('want-ref ')) {
      this.#assertWantsBelow(wantsMax)
      const name = text.slice('want-ref '.length)
      if (this.#wantRefs.has(name)) throw unexpectedLine('each want-ref once')
      this.#wantRefs.add(name)
    } else if (word !== undefined) this.#capabilities.set(word, '')
    else if (text === 'done') this.#done = true
    else if (text === 'wait-for-done') this.#waitForDone = true
    else if (!this.#history.take(text)) {
      const name = FETCH_ARGUMENTS_ELSEWHERE.find((known) => text === known || text.startsWith(`${known} `))
      throw unsupportedFeature(`the fetch argument ${name ?? 'given'}`)
    }
  }

  #assertWantsBelow(wantsMax: number): void {
    if (this.#wants.length + this.#wantRefs.size >= wantsMax) throw overLimit('wants', 'max_wants', wantsMax)
  }

  request(): FetchV2Request {
    return {
      command: 'fetch',
      wants: this.#wants,
      haves: this.#haves,
      wantRefs: [...this.#wantRefs],
      capabilities: this.#capabilities,
      done: this.#done,
      waitForDone: this.#waitForDone,
      ...this.#history.request(this.#capabilities.has('deepen-relative')),
    }
  }
}
