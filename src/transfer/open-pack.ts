import { ProtocolError } from '../git/protocol/error.ts'
import type { Framing } from '../git/protocol/side-band.ts'
import { withSpan } from '../observability/tracing.ts'
import type { RepositoryRef } from './git-request.ts'
import type { GrowingPack } from './growing-pack.ts'
import { HOT_FRAMING } from './hot-packs.ts'
import type { Build, PackSpec, ReadyHotPack, ReadyPack } from './pack-cache.ts'
import type { ProgressWatch } from './progress-watch.ts'
import type { TransferParts } from './transfer.ts'

/**
 * The pack of what is wanted and not had: from the cache, or made in a worker thread. The caller closes it.
 *
 * @throws ProtocolError filter_refused
 */
export function openPack(
  repository: RepositoryRef,
  spec: PackSpec,
  watch: ProgressWatch,
  parts: TransferParts,
): Promise<ReadyPack> {
  return opened(repository, spec, watch, parts, (build) => parts.packs.open(repository.id, spec, build))
}

/** As `openPack`, to be sent to the client: from memory, or while it is made. */
export function openPackForWire(
  repository: RepositoryRef,
  spec: PackSpec,
  watch: ProgressWatch,
  parts: TransferParts,
  framing: Framing,
): Promise<ReadyPack | ReadyHotPack | GrowingPack> {
  const { packs } = parts
  return opened(repository, spec, watch, parts, (build) =>
    framing === HOT_FRAMING ? packs.openHot(repository.id, spec, build) : packs.openEarly(repository.id, spec, build),
  )
}

async function opened<Pack>(
  repository: RepositoryRef,
  spec: PackSpec,
  watch: ProgressWatch,
  { files, workers, fetchSlots }: TransferParts,
  open: (build: Build) => Promise<Pack>,
): Promise<Pack> {
  const repositoryPath = files.path(repository)
  // Another fetch may be making the very pack, and its own watch is on it. Nor is waiting for a slot standing still: the
  // queue is bounded, and who waits may leave it. What then runs in a worker reports by itself where it takes long.
  watch.pause()
  const pack = await open((file) =>
    withSpan('git.pack.build', { wants: spec.wants.length, haves: spec.haves.length }, async () => {
      const result = await fetchSlots.run(repository.id, watch.signal, () =>
        workers.build({ ...spec, repositoryPath }, { file, onProgress: () => watch.progress() }, watch.signal),
      )
      if (result.kind === 'refused') throw new ProtocolError({ code: 'filter_refused' }, result.reason)
      return result
    }),
  )
  watch.progress()
  return pack
}
