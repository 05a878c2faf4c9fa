import { RequestError } from '../errors.ts'
import { encodeObjectInfo } from '../git/protocol/advertisement.ts'
import { ProtocolError } from '../git/protocol/error.ts'
import { encodePackSections, negotiateV0, negotiateV2 } from '../git/protocol/negotiation.ts'
import { encodeBandText, encodeLinesInBand } from '../git/protocol/side-band.ts'
import { type UploadRequest, UploadRequestParser } from '../git/protocol/upload-request.ts'
import { V2RequestParser } from '../git/protocol/v2-request.ts'
import { FLUSH } from '../git/pkt-line.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'
import { encodeErr } from './advertiser.ts'
import { annotatedTagsOf, NO_TAGS, tipsOf } from './named-objects.ts'
import { addSessionId, openExchange } from './exchange.ts'
import type { GitRequest } from './git-request.ts'
import { GONE, isGone } from './gone.ts'
import { FetchTasks } from './fetch-tasks.ts'
import { type History, historyOf } from './history.ts'
import type { KnownFetch } from './known-fetches.ts'
import type { GitResult } from './operation.ts'
import { firstMissing, firstMissingNow, whichAreHere } from './presence.ts'
import type { ProgressWatch } from './progress-watch.ts'
import type { RequestReader } from './request-reader.ts'
import type { TransferParts } from './transfer.ts'
import { type Sending, sendFetchedPack } from './send-fetched-pack.ts'
import { sparseSourceOf } from './sparse-source.ts'
import { wantedRefs } from './wanted-refs.ts'

/** What a round of negotiation comes to. */
interface Round {
  readonly answer: Buffer
  /** undefined: no pack follows, the client asks again */
  readonly history: History | undefined
}

/** One request of a fetch: a listing, a round of negotiation, or the pack. */
export class Fetch {
  readonly #request: GitRequest
  readonly #parts: TransferParts
  readonly #watch: ProgressWatch
  readonly #reader: RequestReader
  readonly #sending: Sending
  readonly #tasks: FetchTasks
  /** Everything is said in bands. */
  #sidebandAll = false
  /** It says in its request which process it is: no other one asks in the same words. */
  #isNamed = false
  /** Wanted, and what no ref points to: an operator's `git gc` may take it away after it was found to be here. */
  #others: readonly string[] = []

  constructor(request: GitRequest, parts: TransferParts) {
    this.#request = request
    this.#parts = parts
    const { watch, reader } = openExchange(request, parts)
    this.#watch = watch
    this.#reader = reader
    this.#sending = { request, parts, watch }
    this.#tasks = new FetchTasks(this.#sending)
  }

  /** @throws RequestError, StorageError … before anything was sent; what fails later is told in the stream */
  async run(): Promise<GitResult | undefined> {
    try {
      return await this.#watch.guard(this.#request.version === '2' ? this.#runV2() : this.#runV0())
    } catch (error) {
      const { answer } = this.#request
      if (this.#watch.signal.aborted || answer.begun || error instanceof RequestError) throw error
      if (error instanceof ProtocolError) {
        await this.#sayError(error.message)
        return 'refused'
      }
      if (isGone(this.#parts.refs, this.#request.repository)) {
        await this.#sayError(GONE)
        return 'refused'
      }
      // What keeps us from knowing has failed already, and is told below.
      const lost = await firstMissingNow(() => this.#objects(), this.#others).catch(() => undefined)
      if (lost !== undefined) {
        await this.#sayError(notOurRef(lost).message)
        return 'refused'
      }
      this.#parts.logger.error({ err: error }, 'A fetch failed')
      await this.#sayError('internal error of the server')
      return 'failed'
    } finally {
      this.#watch.stop()
    }
  }

  async #runV0(): Promise<GitResult | undefined> {
    const parser = new UploadRequestParser(this.#parts.limits)
    await this.#parse(parser)
    const request = parser.request()
    addSessionId(request.capabilities.get('session-id'))
    if (request.wants.length === 0) {
      await this.#say(Buffer.alloc(0))
      return undefined
    }
    return this.#fetch(request, this.#snapshot(), async (common, ready, findHistory) => {
      // It comes in each round: nothing is remembered from one to the next.
      const history = await findHistory()
      const info = history.info === undefined ? [] : [history.info, FLUSH]
      if (parser.endedAfterWants) return { answer: Buffer.concat(info), history: undefined }
      const { answer, packFollows } = negotiateV0(request, common, ready)
      return { answer: Buffer.concat([...info, answer]), history: packFollows ? history : undefined }
    })
  }

  async #runV2(): Promise<GitResult | undefined> {
    const { body, repository } = this.#request
    const { knownFetches } = this.#parts
    const known = Buffer.isBuffer(body) ? knownFetches.find(repository.id, () => this.#snapshot(), body) : undefined
    if (known !== undefined) {
      this.#sidebandAll = known.sidebandAll
      return this.#send(known)
    }
    const parser = new V2RequestParser(this.#parts.limits)
    await this.#parse(parser)
    this.#isNamed = parser.sessionId !== undefined
    addSessionId(parser.sessionId)
    const request = parser.request()
    if (request === undefined) {
      await this.#say(Buffer.alloc(0))
      return undefined
    }
    if (request.command === 'ls-refs') {
      await this.#say(this.#parts.advertiser.lsRefs(request, this.#snapshot()))
      return 'ok'
    }
    if (request.command === 'object-info') {
      await this.#say(encodeObjectInfo(request, request.size ? await this.#tasks.measure(request.oids) : []))
      return 'ok'
    }
    this.#sidebandAll = request.sidebandAll
    const snapshot = this.#snapshot()
    const named = wantedRefs(request.wantRefs, snapshot)
    const wants = Array.from(new Set([...request.wants, ...named.map(({ oid }) => oid)]))
    // As C git has it (upload_pack_v2): without wants it may only ask which of its commits are here (fetch --negotiate-only).
    if (wants.length === 0 && !request.waitForDone) {
      await this.#say(Buffer.alloc(0))
      return undefined
    }
    return this.#fetch({ ...request, wants }, snapshot, async (common, ready, findHistory) => {
      const { answer, packFollows } = negotiateV2(request, common, ready)
      const framed = (lines: Buffer): Buffer => (request.sidebandAll ? encodeLinesInBand(lines) : lines)
      if (!packFollows) return { answer: framed(answer), history: undefined }
      const history = await findHistory()
      // Also where there is nothing to say: who has only a part of the history waits for it.
      const shallowInfo = history.info ?? (request.shallows.length > 0 ? Buffer.alloc(0) : undefined)
      const sections = encodePackSections({ shallowInfo, wantedRefs: named })
      return { answer: framed(Buffer.concat([answer, sections])), history }
    })
  }

  async #parse(parser: {
    take(line: NonNullable<Awaited<ReturnType<RequestReader['readLine']>>>): boolean
  }): Promise<void> {
    for (;;) {
      const line = this.#reader.lineHere() ?? (await this.#reader.readLine())
      // A client that ends its request early has said what it wanted to.
      if (line === undefined || parser.take(line)) break
    }
    if (await this.#reader.goesOn()) {
      throw new ProtocolError({ code: 'line_unexpected' }, 'The request goes on after its end')
    }
  }

  async #fetch(
    request: UploadRequest,
    snapshot: RefSnapshot,
    negotiate: (common: ReadonlySet<string>, ready: boolean, findHistory: () => Promise<History>) => Promise<Round>,
  ): Promise<GitResult | undefined> {
    // Any object that is here may be wanted, as C git serves protocol 2: it may have been a ref's a moment ago.
    const objects = (): ObjectStore => this.#objects()
    // What refs point to is here: that is most of what a clone wants.
    const tips = tipsOf(snapshot)
    const others = request.wants.filter((oid) => !tips.has(oid))
    this.#others = others
    const missing = await firstMissing(objects, others)
    if (missing !== undefined) throw notOurRef(missing)
    const { here: common } = await whichAreHere(objects, request.haves)
    const ready = !request.done && common.size > 0 && (await this.#tasks.isReady(request.wants, [...common]))
    const findHistory = async (): Promise<History> => {
      const { here: shallows } = await whichAreHere(objects, request.shallows)
      return historyOf(request, [...shallows], snapshot, (task) => this.#tasks.deepen(task))
    }
    const { answer, history } = await negotiate(common, ready, findHistory)
    if (history === undefined) {
      await this.#say(answer)
      return undefined
    }
    const { wants, capabilities, filter } = request
    const spec = {
      wants: [...wants, ...history.wants],
      haves: [...common, ...history.haves],
      annotatedTags: capabilities.has('include-tag') ? annotatedTagsOf(snapshot) : NO_TAGS,
      shallow: history.shallow,
      filter,
      sparse: filter.sparse.map((name) => sparseSourceOf(name, snapshot)),
      features: { thinPack: capabilities.has('thin-pack'), ofsDelta: capabilities.has('ofs-delta') },
    }
    const fetch = { spec, capabilities, answer, sidebandAll: this.#sidebandAll }
    const hangsOnObjects = [others, request.haves, request.shallows].some((oids) => oids.length > 0)
    const result = await this.#send(fetch)
    // Only now: what was refused is not known.
    if (!hangsOnObjects && request.deepen === undefined) this.#remember(snapshot, fetch)
    return result
  }

  #remember(snapshot: RefSnapshot, fetch: KnownFetch): void {
    const { body, repository, version } = this.#request
    if (version !== '2' || this.#isNamed || !Buffer.isBuffer(body)) return
    this.#parts.knownFetches.remember(repository.id, snapshot, body, fetch)
  }

  async #send(fetch: KnownFetch): Promise<GitResult> {
    await sendFetchedPack(this.#sending, fetch)
    return 'ok'
  }

  #objects(): ObjectStore {
    return this.#parts.files.packs.objects(this.#request.repository)
  }

  #snapshot(): RefSnapshot {
    return this.#parts.refs.snapshot(this.#request.repository.id)
  }

  async #sayError(message: string): Promise<void> {
    const text = `upload-pack: ${message}`
    await this.#say(this.#sidebandAll ? encodeBandText('error', text, 'side-band-64k') : encodeErr(text))
  }

  async #say(bytes: Buffer): Promise<void> {
    const { answer } = this.#request
    if (!(await this.#reader.drain())) throw new RequestError({ code: 'payload_too_large' }, 'The request is too large')
    answer.begin(bytes.length)
    await answer.end(bytes)
  }
}

const notOurRef = (oid: string): ProtocolError => new ProtocolError({ code: 'not_our_ref', oid }, `not our ref ${oid}`)
