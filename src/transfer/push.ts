import { RequestError } from '../errors.ts'
import { FLUSH } from '../git/pkt-line.ts'
import { ProtocolError } from '../git/protocol/error.ts'
import { type PushRequest, PushRequestParser } from '../git/protocol/push-request.ts'
import { encodeReport, type RefReport } from '../git/protocol/report-status.ts'
import { encodeBandText, type Framing, framingOf } from '../git/protocol/side-band.ts'
import { addAccessFields } from '../observability/context.ts'
import { isDiskFull, StorageError } from '../storage/error.ts'
import { encodeErr } from './advertiser.ts'
import { addSessionId, openExchange } from './exchange.ts'
import type { GitRequest } from './git-request.ts'
import { GONE, isGone } from './gone.ts'
import type { GitResult } from './operation.ts'
import type { ProgressWatch } from './progress-watch.ts'
import { type ReceivedPack, receivePack } from './receive-pack.ts'
import { changeRefs } from './ref-change.ts'
import type { RequestReader } from './request-reader.ts'
import type { TransferParts } from './transfer.ts'
import type { TaskProgress } from './workers/remote-file.ts'

/** One push: commands, pack, checks, refs, report. */
export class Push {
  readonly #request: GitRequest
  readonly #parts: TransferParts
  readonly #watch: ProgressWatch
  readonly #reader: RequestReader
  #framing: Framing = 'none'
  #shownPercent = -1

  constructor(request: GitRequest, parts: TransferParts) {
    this.#request = request
    this.#parts = parts
    const { watch, reader } = openExchange(request, parts)
    this.#watch = watch
    this.#reader = reader
  }

  /** @throws RequestError and what the disk and the database throw; what is wrong with the push is told in its report */
  async run(): Promise<GitResult | undefined> {
    try {
      return await this.#watch.guard(this.#receive())
    } finally {
      this.#watch.stop()
    }
  }

  async #receive(): Promise<GitResult | undefined> {
    const parser = new PushRequestParser(this.#parts.limits.pushCommandsMax)
    let request: PushRequest
    try {
      request = await this.#readCommands(parser)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      // The first command says how the client reads answers, also if a later one is wrong.
      this.#framing = framingOf(parser.request().capabilities)
      await this.#refuse(`receive-pack: ${error.message}`)
      return 'refused'
    }
    this.#framing = framingOf(request.capabilities)
    if (request.commands.length === 0) {
      // What git asks before a large push, to learn whether it is let in (remote-curl.c, probe_rpc).
      await this.#say(Buffer.alloc(0))
      return undefined
    }
    const { readOnly } = this.#request
    if (readOnly !== undefined) {
      await this.#report(request, readOnly, refuseAll(request, 'mirrors take no pushes'))
      return 'refused'
    }
    try {
      return await this.#parts.quarantine((directory) => this.#take(request, directory))
    } catch (error) {
      if (this.#watch.signal.aborted) throw error
      // Refused before anything was sent: the status says more than a report can, with its Retry-After.
      if (error instanceof RequestError && !this.#request.answer.begun) throw error
      return this.#reportFailure(request, error)
    }
  }

  async #take(request: PushRequest, directory: string): Promise<GitResult> {
    let pack: ReceivedPack | undefined
    if (request.commands.some((command) => command.newOid !== undefined)) {
      try {
        pack = await receivePack({
          reader: this.#reader,
          directory,
          repository: this.#request.repository,
          tips: request.commands.flatMap((command) => command.newOid ?? []),
          watch: this.#watch,
          parts: this.#parts,
          onProgress: (progress) => this.#showProgress(progress, request),
        })
      } catch (error) {
        const reason = reasonOf(error)
        if (reason === undefined) throw error
        await this.#report(request, reason, refuseAll(request, 'unpacker error'))
        return 'refused'
      }
    }
    // From here on it is the disk's work, and soon nothing that could be taken back: the pusher hears how it ended.
    this.#watch.pause()
    const reports = await changeRefs(this.#request, request, pack, {
      directory,
      signal: this.#watch.signal,
      parts: this.#parts,
    })
    await this.#report(request, undefined, reports)
    return reports.some((one) => one.refused === undefined) ? 'ok' : 'refused'
  }

  /** What is nobody's fault but ours: the pusher is told that nothing was changed, the log why. */
  async #reportFailure(request: PushRequest, error: unknown): Promise<GitResult> {
    const { logger, metrics, refs } = this.#parts
    if (isGone(refs, this.#request.repository)) {
      await this.#report(request, GONE, refuseAll(request, GONE))
      return 'refused'
    }
    logger.error({ err: error }, 'A push failed')
    if (this.#request.answer.begun) metrics.gitLateFailures.inc({ service: 'receive_pack' })
    const reason = failureReason(error)
    await this.#report(request, reason, refuseAll(request, 'unpacker error'))
    return 'failed'
  }

  async #readCommands(parser: PushRequestParser): Promise<PushRequest> {
    for (;;) {
      const line = this.#reader.lineHere() ?? (await this.#reader.readLine())
      if (line === undefined)
        throw new ProtocolError({ code: 'request_truncated' }, 'The request ends before its commands do')
      if (parser.take(line)) break
    }
    const request = parser.request()
    const { commands, options, capabilities } = request
    // What the options say may be anything: their number is enough to see that a client counts on them.
    addAccessFields({ commands: commands.length, ...(options > 0 && { push_options: options }) })
    addSessionId(capabilities.get('session-id'))
    return request
  }

  async #report(request: PushRequest, unpackError: string | undefined, refs: readonly RefReport[]): Promise<void> {
    const { capabilities } = request
    const wantsReport = capabilities.has('report-status') || capabilities.has('report-status-v2')
    // Without a report a client has only the bands to learn from.
    if (wantsReport) await this.#say(encodeReport(unpackError, refs, this.#framing))
    else if (this.#framing === 'none') await this.#say(Buffer.alloc(0))
    // Bands end with a flush, whatever came in them: without it git takes the answer for one that was cut off.
    else if (unpackError === undefined) await this.#say(FLUSH)
    else await this.#refuse(unpackError)
  }

  /** Where there can be no report. */
  async #refuse(message: string): Promise<void> {
    if (this.#framing === 'none') await this.#say(encodeErr(message))
    else await this.#say(Buffer.concat([encodeBandText('error', `${message}\n`, this.#framing), FLUSH]))
  }

  /** While a pack is checked the connection stays alive, and a person sees why it takes long. */
  #showProgress({ phase, done, total }: TaskProgress, { capabilities }: PushRequest): void {
    if (this.#framing === 'none' || capabilities.has('quiet') || phase === 'writing' || total === 0) return
    const percent = Math.floor((100 * done) / total)
    if (percent <= this.#shownPercent) return
    this.#shownPercent = percent
    const { answer } = this.#request
    answer.begin()
    const text = `Checking objects: ${String(percent).padStart(3)}% (${done}/${total})${done === total ? '\n' : '\r'}`
    answer.writeIfIdle(encodeBandText('progress', text, this.#framing))
  }

  async #say(bytes: Buffer): Promise<void> {
    const { answer } = this.#request
    this.#watch.progress()
    answer.begin()
    await answer.write(bytes)
    // A client that is still sending its pack reads the report only when it is done, or cut off.
    if (!(await this.#reader.drain())) throw new RequestError({ code: 'payload_too_large' }, 'The request is too large')
    await answer.end()
  }
}

/** @returns what the pusher is told, where the pack or its size was wrong */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof ProtocolError) return error.message
  return error instanceof RequestError && error.detail.code === 'bad_request' ? error.message : undefined
}

function failureReason(error: unknown): string {
  if (error instanceof RequestError) return error.message
  if (isDiskFull(error)) return 'the disk of the server is full'
  if (
    error instanceof StorageError &&
    ['database_failed', 'database_closed', 'lease_lost'].includes(error.detail.code)
  ) {
    return 'the database of the server cannot take changes at the moment; try again later'
  }
  return 'internal error of the server'
}

function refuseAll({ commands }: PushRequest, refused: string): RefReport[] {
  return commands.map(({ ref }) => ({ ref, refused }))
}
