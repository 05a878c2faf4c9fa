import { GutsError } from '../../errors.ts'
import { parseTag } from '../../git/object/tag.ts'
import { OBJECT_TYPE } from '../../git/object/type.ts'
import { encodePackIndex } from '../../git/pack/index-file.ts'
import { type IndexedPack, indexPack } from '../../git/pack/indexer.ts'
import type { ByteSource } from '../../git/pack/source.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import { ObjectCache } from '../../storage/objects/object-cache.ts'
import { FileSource, PackFile, readTrailer } from '../../storage/objects/pack-file.ts'
import { PackChecker } from '../pack-checker.ts'
import { ArrivingSource } from './arrival.ts'
import { completeThinPack, type CompletedPack } from './complete-thin-pack.ts'
import { openStore } from './open-stores.ts'
import { RemoteFile } from './remote-file.ts'
import type { IndexResult, IndexTask, Tip } from './tasks.ts'

/** For reading the tips of a pack that was just received. */
const TIP_CACHE_BYTES = 1024 * 1024

/** Checks and indexes a received pack; what is wrong with it is an answer, what goes wrong here is thrown. */
export async function runIndex(task: IndexTask): Promise<IndexResult> {
  const store = openStore(task.repositoryPath)
  const { packPath, arrival } = task
  const source = arrival === undefined ? new FileSource(packPath) : new ArrivingSource(packPath, arrival)
  const file = new RemoteFile(task.port)
  let early = arrival !== undefined
  try {
    const checker = new PackChecker(store)
    const indexed = readPack(task, source, checker, store, file)
    early = false
    // What came here since the check began may be named, too: as if it began only now.
    if (arrival !== undefined) store.refresh()
    return await finish(task, indexed, source, checker, store, file)
  } catch (error) {
    // Every class of error that a pack's bytes can raise carries its sentence for the pusher.
    if (!(error instanceof GutsError) || isOurs(error)) throw error
    return { accepted: false, code: String(error.detail.code), reason: error.message, early }
  } finally {
    source.close()
    file.close()
  }
}

/** Damage of what is stored here is not the pusher's mistake: no pusher sends an index. */
function isOurs(error: GutsError<{ readonly code: string }>): boolean {
  return error.name === 'StorageError' || error.detail.code === 'index_invalid'
}

function readPack(
  { limits }: IndexTask,
  source: ByteSource,
  checker: PackChecker,
  store: ObjectStore,
  file: RemoteFile,
): IndexedPack {
  return indexPack(source, limits, {
    onDeclared: (declared, table) => checker.expect(declared, table),
    onObject: (type, data, oids, oidAt) => checker.add(type, data, oids, oidAt),
    onLargeBlob: (bytes, oids, oidAt, forEachPiece) => checker.addLargeBlob(bytes, oids, oidAt, forEachPiece),
    readBase: (oid) => store.read(oid),
    onProgress: (phase, done, total) => file.progress({ phase, done, total }),
  })
}

async function finish(
  task: IndexTask,
  { entries, externalBases, entriesEnd }: IndexedPack,
  source: ByteSource,
  checker: PackChecker,
  store: ObjectStore,
  file: RemoteFile,
): Promise<IndexResult> {
  const objects = entries.count
  const pack: CompletedPack =
    externalBases.length === 0
      ? { packBytes: source.bytes, checksum: readTrailer(source) }
      : await completeThinPack(source, file, store, entries, externalBases, entriesEnd)
  const encoded = encodePackIndex(entries, pack.checksum)
  const received = new PackFile(task.packPath, encoded.packName, new ObjectCache(TIP_CACHE_BYTES), encoded.bytes)
  try {
    const sources = [received, store]
    const counts = checker.finish((oid) => readFirst(sources, oid))
    const tips = inspectTips(task.tips, sources)
    return {
      accepted: true,
      packName: encoded.packName,
      packBytes: pack.packBytes,
      completed: externalBases.length > 0,
      index: encoded.bytes,
      objects,
      counts,
      tips,
    }
  } finally {
    received.close()
  }
}

interface Source {
  readObject(oid: Buffer): { readonly type: number; readonly data: Buffer } | undefined
}

/** What refs are to point to: types, and what tags finally point to. */
function inspectTips(tips: readonly string[], sources: readonly Source[]): Tip[] {
  // Tags may be tags of each other, in a long line: it is walked once, not for each of them.
  const targets = new Map<string, string>()
  return tips.map((oid) => {
    const type = readFirst(sources, Buffer.from(oid, 'hex'))?.type
    if (type !== OBJECT_TYPE.tag) return { oid, type, peeled: null }
    const chain: string[] = []
    let name = oid
    for (;;) {
      const target = targets.get(name) ?? tagTarget(name, sources)
      if (target === undefined) break
      chain.push(name)
      name = target
    }
    for (const one of chain) targets.set(one, name)
    return { oid, type, peeled: name }
  })
}

/** @returns undefined for what is no tag */
function tagTarget(oid: string, sources: readonly Source[]): string | undefined {
  const object = readFirst(sources, Buffer.from(oid, 'hex'))
  return object?.type === OBJECT_TYPE.tag ? parseTag(object.data).object : undefined
}

function readFirst(sources: readonly Source[], oid: Buffer): ReturnType<Source['readObject']> {
  for (const source of sources) {
    const object = source.readObject(oid)
    if (object !== undefined) return object
  }
  return undefined
}
