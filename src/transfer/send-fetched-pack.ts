import { RequestError } from '../errors.ts'
import { FLUSH } from '../git/pkt-line.ts'
import { encodeBandText, type Framing, framingOf } from '../git/protocol/side-band.ts'
import { addAccessFields } from '../observability/context.ts'
import { withSpan } from '../observability/tracing.ts'
import type { GitRequest } from './git-request.ts'
import { openPackForWire } from './open-pack.ts'
import { extentOf, type GrowingPack } from './growing-pack.ts'
import { HOT_FRAMING } from './hot-packs.ts'
import type { KnownFetch } from './known-fetches.ts'
import type { ReadyHotPack, ReadyPack } from './pack-cache.ts'
import { framedBytes } from './pack-framing.ts'
import { sendHotPack, sendPack } from './pack-stream.ts'
import type { ProgressWatch } from './progress-watch.ts'
import type { TransferParts } from './transfer.ts'

export interface Sending {
  readonly request: GitRequest
  readonly parts: TransferParts
  readonly watch: ProgressWatch
}

/**
 * Answers a fetch with its pack.
 *
 * @throws what the client or the disk does; once the status is out, a client with bands has been told
 */
export async function sendFetchedPack(sending: Sending, { spec, capabilities, answer }: KnownFetch): Promise<void> {
  const { request, parts, watch } = sending
  const framing = framingOf(capabilities)
  const hot = framing === HOT_FRAMING ? parts.packs.hotNow(request.repository.id, spec) : undefined
  const pack = hot ?? (await openPackForWire(request.repository, spec, watch, parts, framing))
  try {
    const progress =
      framing === 'none' || capabilities.has('no-progress')
        ? Buffer.alloc(0)
        : encodeBandText('progress', `Sending ${pack.objects} objects\n`, framing)
    const known = 'growth' in pack ? {} : { bytes: pack.bytes }
    await withSpan('git.pack.send', { objects: pack.objects, ...known }, () =>
      stream(sending, pack, framing, Buffer.concat([answer, progress])),
    )
  } finally {
    await pack.reader?.close()
  }
  parts.metrics.gitObjects.inc({ direction: 'out' }, pack.objects)
  // Of one that grew: now it is at its end.
  const { bytes } = 'growth' in pack ? pack.growth : pack
  parts.metrics.gitPackBytes.inc({ direction: 'out' }, bytes)
  addAccessFields({ objects: pack.objects, pack_bytes: bytes })
}

async function stream(
  { request: { answer }, parts: { metrics }, watch }: Sending,
  pack: ReadyPack | ReadyHotPack | GrowingPack,
  framing: Framing,
  head: Buffer,
): Promise<void> {
  const tail = framing === 'none' ? Buffer.alloc(0) : FLUSH
  answer.begin('growth' in pack ? undefined : head.length + framedBytes(pack.bytes, framing) + tail.length)
  try {
    // How long a piece takes is the client's affair; that it takes some of it in time, the answer sees to.
    const send = (...pieces: readonly Buffer[]): Promise<void> => watch.taken(answer.write(...pieces))
    if ('hot' in pack) await sendHotPack(pack.hot, pack.reader, head, send)
    else await sendPack(pack.reader, extentOf(pack), { framing, head, tail }, send)
    await answer.end()
  } catch (error) {
    if (watch.signal.aborted) throw error
    metrics.gitLateFailures.inc({ service: 'upload_pack' })
    const stalled = error instanceof RequestError && error.detail.code === 'timeout'
    if (stalled) metrics.timeouts.inc({ operation: 'transfer' })
    // The status is out. A client with bands is told; what ends its answer early tells all others.
    else if (framing !== 'none') await answer.write(encodeBandText('error', 'The pack could not be read\n', framing))
    throw error
  }
}
