/** The commands of protocol version 2 and their arguments (gitprotocol-v2). */
import { parseOid } from './capabilities.ts'
import { overLimit, unexpectedLine, unsupportedFeature } from './error.ts'
import { HistoryArguments } from './history-arguments.ts'
import type { FetchLimits, UploadRequest } from './upload-request.ts'

/** More prefixes than this and all refs are listed, as C git does. */
const REF_PREFIXES_MAX = 65_536

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
  /** Everything is to come in bands, not the pack alone. */
  readonly sidebandAll: boolean
}

export interface ObjectInfoRequest {
  readonly command: 'object-info'
  readonly size: boolean
  /** 40 hex digits each, in the client's order. */
  readonly oids: readonly string[]
}

export type V2Request = LsRefsRequest | FetchV2Request | ObjectInfoRequest

/** Takes its arguments one after another. */
export interface Command {
  /** @throws ProtocolError */
  argument(text: string): void
  request(): V2Request
}

export class LsRefsCommand implements Command {
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
const FETCH_ARGUMENTS_ELSEWHERE = ['packfile-uris']

export class FetchCommand implements Command {
  readonly #limits: FetchLimits
  readonly #wants: string[] = []
  readonly #haves: string[] = []
  readonly #wantRefs = new Set<string>()
  // Version 2 always frames its packs.
  readonly #capabilities = new Map([['side-band-64k', '']])
  readonly #history: HistoryArguments
  #done = false
  #waitForDone = false
  #sidebandAll = false

  constructor(limits: FetchLimits) {
    this.#limits = limits
    this.#history = new HistoryArguments(limits)
  }

  argument(text: string): void {
    const { wantsMax, havesMax } = this.#limits
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
    } else if (Object.hasOwn(FETCH_WORDS, text)) this.#capabilities.set(FETCH_WORDS[text] as string, '')
    else if (text === 'done') this.#done = true
    else if (text === 'wait-for-done') this.#waitForDone = true
    else if (text === 'sideband-all') this.#sidebandAll = true
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
      sidebandAll: this.#sidebandAll,
      ...this.#history.request(this.#capabilities.has('deepen-relative')),
    }
  }
}

export class ObjectInfoCommand implements Command {
  readonly #wantsMax: number
  readonly #oids: string[] = []
  #size = false

  constructor({ wantsMax }: FetchLimits) {
    this.#wantsMax = wantsMax
  }

  argument(text: string): void {
    if (text === 'size') this.#size = true
    else if (text.startsWith('oid ')) {
      if (this.#oids.length >= this.#wantsMax) throw overLimit('objects', 'max_wants', this.#wantsMax)
      this.#oids.push(parseOid(text.slice('oid '.length)))
    } else throw unexpectedLine('an argument of object-info')
  }

  request(): ObjectInfoRequest {
    return { command: 'object-info', size: this.#size, oids: this.#oids }
  }
}
