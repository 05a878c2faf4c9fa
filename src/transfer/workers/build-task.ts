import { selectObjects } from '../../git/object-graph/select.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import { buildPack } from '../pack-builder.ts'
import { openStore } from './open-stores.ts'
import { RemoteFile } from './remote-file.ts'
import type { BuildResult, BuildTask } from './tasks.ts'

/** Makes the pack that a fetch is answered with, or finds that it lies there already. */
export async function runBuild(task: BuildTask): Promise<BuildResult> {
  const store = openStore(task.repositoryPath)
  const reader = { read: (oid: Buffer, at: number) => store.mustRead(oid, at) }
  const selection = selectObjects(reader, fromHex(task.wants), fromHex(task.haves), fromHex(task.annotatedTags))
  const stored = task.features.ofsDelta ? exactPack(store, selection.oids, selection.count) : undefined
  if (stored !== undefined) {
    task.port.close()
    return { kind: 'stored', packPath: stored.path, objects: selection.count, bytes: stored.source.bytes }
  }
  const file = new RemoteFile(task.port)
  let bytes = 0
  await buildPack(store, selection, task.features, async (chunk) => {
    const position = bytes
    bytes += chunk.length
    await file.write(chunk, position)
  })
  await file.finish()
  return { kind: 'built', objects: selection.count, bytes }
}

/** The pack that holds just the selected objects, and nothing that the receiver may not see. */
function exactPack(store: ObjectStore, oids: Buffer, count: number): ObjectStore['packs'][number] | undefined {
  const candidates = store.packs.filter((pack) => pack.index.count === count)
  return candidates.find((pack) => {
    for (let i = 0; i < count; i++) if (pack.index.rankOf(oids, i * 20) < 0) return false
    return true
  })
}

function fromHex(oids: readonly string[]): Buffer[] {
  return oids.map((oid) => Buffer.from(oid, 'hex'))
}
