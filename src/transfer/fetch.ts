import { RequestError } from '../errors.ts'
import { ProtocolError } from '../git/protocol/error.ts'
import { encodeWantedRefs, type Negotiated, negotiateV0, negotiateV2 } from '../git/protocol/negotiation.ts'
import { encodeBandText, type Framing, framingOf } from '../git/protocol/side-band.ts'
import { type UploadRequest, UploadRequestParser } from '../git/protocol/upload-request.ts'
import { V2RequestParser } from '../git/protocol/v2-request.ts'
import { DELIM, encodePktLine, FLUSH } from '../git/pkt-line.ts'
import { addAccessFields } from '../observability/context.ts'
import { withSpan } from '../observability/tracing.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'
import { encodeErr } from './advertiser.ts'
import { openExchange } from './exchange.ts'
import type { GitRequest } from './git-request.ts'
import { GONE, isGone } from './gone.ts'
import { type History, historyOf } from './history.ts'
import type { GitResult } from './operation.ts'
import { openPack } from './open-pack.ts'
import type { PackSpec, ReadyPack } from './pack-cache.ts'
import { framedBytes, sendPack } from './pack-stream.ts'
import { firstMissing, whichAreHere } from './presence.ts'
import type { ProgressWatch } from './progress-watch.ts'
import type { RequestReader } from './request-reader.ts'
import type { TransferParts } from './transfer.ts'
import { wantedRefs } from './wanted-refs.ts'
import type { DeepenResult, DeepenTask } from './workers/tasks.ts'

/** One request of a fetch: a listing, a round of negotiation, or the pack. */
export class Fetch {
  readonly #request: GitRequest
  readonly #parts: TransferParts
  readonly #watch: ProgressWatch
  readonly #reader: RequestReader

  constructor(request: GitRequest, parts: TransferParts) {
    this.#request = request
    this.#parts = parts
    const { watch, reader } = openExchange(request, parts)
    this.#watch = watch
    this.#reader = reader
  }

  /** @throws RequestError, StorageError … before anything was sent; what fails later is told in the stream */
  async run(): Promise<GitResult | undefined> {
    try {
      return await this.#watch.guard(this.#request.version === '2' ? this.#runV2() : this.#runV0())
    } catch (error) {
      const { answer } = this.#request
      if (this.#watch.signal.aborted || answer.begun || error instanceof RequestError) throw error
      if (error instanceof ProtocolError) {
        await this.#say(encodeErr(`upload-pack: ${error.message}`))
        return 'refused'
      }
      if (isGone(this.#parts.refs, this.#request.repository)) {
        await this.#say(encodeErr(`upload-pack: ${GONE}`))
        return 'refused'
      }
      this.#parts.logger.error({ err: error }, 'A fetch failed')
      await this.#say(encodeErr('upload-pack: internal error of the server'))
      return 'failed'
    } finally {
      this.#watch.stop()
    }
  }

  async #runV0(): Promise<GitResult | undefined> {
    const parser = new UploadRequestParser(this.#parts.limits)
    await this.#parse(parser)
    const request = parser.request()
    if (request.wants.length === 0) {
      await this.#say(Buffer.alloc(0))
      return undefined
    }
    return this.#fetch(request, (common, ready, { info }) => {
      const nothingYet = { answer: Buffer.alloc(0), packFollows: false }
      const negotiated = parser.endedAfterWants ? nothingYet : negotiateV0(request, common, ready)
      // It comes again in each round: nothing is remembered from one to the next.
      return info === undefined
        ? negotiated
        : { ...negotiated, answer: Buffer.concat([info, FLUSH, negotiated.answer]) }
    })
  }

  async #runV2(): Promise<GitResult | undefined> {
    const parser = new V2RequestParser(this.#parts.limits)
    await this.#parse(parser)
    const request = parser.request()
    if (request === undefined) {
      await this.#say(Buffer.alloc(0))
      return undefined
    }
    if (request.command === 'ls-refs') {
      await this.#say(this.#parts.advertiser.lsRefs(request, this.#snapshot()))
      return 'ok'
    }
    const named = wantedRefs(request.wantRefs, this.#snapshot())
    const wants = Array.from(new Set([...request.wants, ...named.map(({ oid }) => oid)]))
    if (wants.length === 0) throw new ProtocolError({ code: 'line_unexpected' }, 'A fetch wants something')
    return this.#fetch({ ...request, wants }, (common, ready, { info }) => {
      // Also where there is nothing to say: who has only a part of the history waits for it.
      const isExpected = info !== undefined || request.shallows.length > 0
      const shallowInfo = [encodePktLine('shallow-info\n'), info ?? Buffer.alloc(0), DELIM]
      const sections = [...(isExpected ? shallowInfo : []), ...(named.length > 0 ? [encodeWantedRefs(named)] : [])]
      return negotiateV2(request, common, ready, sections)
    })
  }

  async #parse(parser: {
    take(line: NonNullable<Awaited<ReturnType<RequestReader['readLine']>>>): boolean
  }): Promise<void> {
    for (;;) {
      const line = await this.#reader.readLine()
      // A client that ends its request early has said what it wanted to.
      if (line === undefined || parser.take(line)) break
    }
    for await (const _ of this.#reader.rest()) {
      throw new ProtocolError({ code: 'line_unexpected' }, 'The request goes on after its end')
    }
  }

  async #fetch(
    request: UploadRequest,
    negotiate: (common: ReadonlySet<string>, ready: boolean, history: History) => Negotiated,
  ): Promise<GitResult | undefined> {
    const snapshot = this.#snapshot()
    // Any object that is here may be wanted, as C git serves protocol 2: it may have been a ref's a moment ago.
    const objects = (): ObjectStore => this.#parts.files.objects(this.#request.repository)
    const missing = await firstMissing(objects, request.wants)
    if (missing !== undefined) {
      throw new ProtocolError({ code: 'not_our_ref', oid: missing }, `not our ref ${missing}`)
    }
    const { here: common } = await whichAreHere(objects(), request.haves)
    const ready = !request.done && common.size > 0 && (await this.#isReady(request.wants, [...common]))
    const { here: shallows } = await whichAreHere(objects(), request.shallows)
    const history = await historyOf(request, [...shallows], snapshot, (task) => this.#deepen(task))
    const { answer, packFollows } = negotiate(common, ready, history)
    if (!packFollows) {
      await this.#say(answer)
      return undefined
    }
    await this.#sendPack(request, [...common], history, snapshot, answer)
    return 'ok'
  }

  #isReady(wants: readonly string[], common: readonly string[]): Promise<boolean> {
    const repositoryPath = this.#parts.files.path(this.#request.repository)
    return withSpan('git.negotiate', { wants: wants.length, common: common.length }, () =>
      this.#inSlot(() => this.#parts.workers.negotiate({ repositoryPath, wants, common }, this.#watch.signal)),
    )
  }

  #deepen(task: Omit<DeepenTask, 'repositoryPath'>): Promise<DeepenResult> {
    const repositoryPath = this.#parts.files.path(this.#request.repository)
    return withSpan('git.deepen', { wants: task.wants.length, shallows: task.shallows.length }, () =>
      this.#inSlot(() => this.#parts.workers.deepen({ ...task, repositoryPath }, this.#watch.signal)),
    )
  }

  async #sendPack(
    { wants, capabilities, filter }: UploadRequest,
    haves: readonly string[],
    history: History,
    snapshot: RefSnapshot,
    negotiation: Buffer,
  ): Promise<void> {
    const framing = framingOf(capabilities)
    const annotatedTags = capabilities.has('include-tag')
      ? snapshot.refs.filter((ref) => ref.peeled !== null).map((ref) => ref.oid)
      : []
    const features = { thinPack: capabilities.has('thin-pack'), ofsDelta: capabilities.has('ofs-delta') }
    const pack = await this.#openPack({
      wants: [...wants, ...history.wants],
      haves: [...haves, ...history.haves],
      annotatedTags,
      shallow: history.shallow,
      filter,
      features,
    })
    try {
      const progress =
        framing === 'none' || capabilities.has('no-progress')
          ? Buffer.alloc(0)
          : encodeBandText('progress', `Sending ${pack.objects} objects\n`, framing)
      await withSpan('git.pack.send', { objects: pack.objects, bytes: pack.bytes }, () =>
        this.#stream(pack, framing, Buffer.concat([negotiation, progress])),
      )
    } finally {
      await pack.handle.close()
    }
    const { metrics } = this.#parts
    metrics.gitObjects.inc({ direction: 'out' }, pack.objects)
    metrics.gitPackBytes.inc({ direction: 'out' }, pack.bytes)
    addAccessFields({ objects: pack.objects, pack_bytes: pack.bytes })
  }

  async #stream(pack: ReadyPack, framing: Framing, head: Buffer): Promise<void> {
    const { answer } = this.#request
    const tail = framing === 'none' ? Buffer.alloc(0) : FLUSH
    answer.begin(head.length + framedBytes(pack.bytes, framing) + tail.length)
    try {
      await answer.write(head)
      await sendPack(pack.handle, pack.bytes, framing, async (piece) => {
        // How long a piece takes is the client's affair; that it takes some of it in time, the answer sees to.
        this.#watch.pause()
        await answer.write(piece)
        this.#watch.progress()
      })
      await answer.write(tail)
      await answer.end()
    } catch (error) {
      if (this.#watch.signal.aborted) throw error
      const { metrics } = this.#parts
      metrics.gitLateFailures.inc({ service: 'upload_pack' })
      const stalled = error instanceof RequestError && error.detail.code === 'timeout'
      if (stalled) metrics.timeouts.inc({ operation: 'transfer' })
      // The status is out. A client with bands is told; what ends its answer early tells all others.
      else if (framing !== 'none') await answer.write(encodeBandText('error', 'The pack could not be read\n', framing))
      throw error
    }
  }

  #openPack(spec: PackSpec): Promise<ReadyPack> {
    return openPack(this.#request.repository, spec, this.#watch, this.#parts)
  }

  /**
   * Waiting for a slot is not standing still: the queue is bounded, and the client may leave it. What then runs in a
   * worker reports by itself where it takes long.
   */
  #inSlot<T>(work: () => Promise<T>): Promise<T> {
    this.#watch.pause()
    return this.#parts.fetchSlots.run(this.#request.repository.id, this.#request.signal, work)
  }

  #snapshot(): RefSnapshot {
    return this.#parts.refs.snapshot(this.#request.repository.id)
  }

  async #say(bytes: Buffer): Promise<void> {
    const { answer } = this.#request
    if (!(await this.#reader.drain())) throw new RequestError({ code: 'payload_too_large' }, 'The request is too large')
    answer.begin()
    await answer.write(bytes)
    await answer.end()
  }
}
