import assert from 'node:assert/strict'
import { hash, randomUUID } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { hasErrorCode } from '../errors.ts'
import { isDiskFull } from '../storage/error.ts'
import type { FileSystem } from '../storage/file-system.ts'
import { type GrowingPack, PackGrowth } from './growing-pack.ts'
import { type HotPack, HotPacks } from './hot-packs.ts'
import { LazyFile } from './lazy-file.ts'
import { digestOfTags } from './named-objects.ts'
import type { PackReader } from './pack-reader.ts'
import type { BuildResult, BuildTask } from './workers/tasks.ts'
import type { TaskFile } from './workers/pool.ts'

/** Of packs that were built for fetches and may be asked for again; stored packs are served where they lie. */
const BUILT_BYTES_MAX = 1024 ** 3
const ENTRIES_MAX = 10_000
/** As many questions as are asked again and again at the same time. */
const KEYS_MAX = 1_000
/** Stored packs in a row that maintenance takes away before they are opened. */
const ATTEMPTS_MAX = 5

export type PackSpec = Omit<BuildTask, 'port' | 'repositoryPath'>

/** Makes a pack in the file, or names a stored one. */
export type Build = (file: TaskFile['file']) => Promise<Exclude<BuildResult, { readonly kind: 'refused' }>>

/** A pack on disk, opened: it can be read to its end whatever becomes of its name. The caller closes it. */
export interface ReadyPack {
  readonly path: string
  readonly reader: PackReader
  readonly bytes: number
  readonly objects: number
}

/** A pack of which pieces are in memory; all of them, where there is no file to read the others from. */
export interface ReadyHotPack {
  readonly hot: HotPack
  readonly reader: PackReader | undefined
  readonly bytes: number
  readonly objects: number
}

interface CachedPack {
  readonly path: string
  readonly bytes: number
  readonly objects: number
  readonly built: boolean
}

interface BuiltPack {
  readonly made: CachedPack
  /** Somebody sends it already. */
  readonly growing: GrowingPack | undefined
}

/**
 * Packs that fetches were answered with. What is wanted and what is had decides what a pack holds, for objects never
 * change: so an entry never goes stale, and refs need not be asked.
 */
export class PackCache {
  readonly #fileSystem: FileSystem
  readonly #directory: string
  readonly #onError: (error: unknown) => void
  readonly #packs: LRUCache<string, CachedPack>
  readonly #hot = new HotPacks()
  /** By what was asked, in its order. */
  readonly #keys = new LRUCache<string, string>({ max: KEYS_MAX })
  /** Where the very same is asked for again (known-fetches.ts): it is made from the refs of one repository. */
  readonly #keysOfSpecs = new WeakMap<PackSpec, string>()
  readonly #discarding = new Set<Promise<void>>()
  readonly #building = new Map<string, Promise<void>>()

  /** @param directory on the data's file system, emptied at start */
  constructor(fileSystem: FileSystem, directory: string, onError: (error: unknown) => void) {
    this.#fileSystem = fileSystem
    this.#directory = directory
    this.#onError = onError
    this.#packs = new LRUCache<string, CachedPack>({
      max: ENTRIES_MAX,
      maxSize: BUILT_BYTES_MAX,
      // One pack larger than all of this is answered with and not kept.
      maxEntrySize: BUILT_BYTES_MAX,
      sizeCalculation: (pack) => (pack.built ? Math.max(1, pack.bytes) : 1),
      dispose: (pack) => this.#discard(pack),
    })
  }

  /**
   * @param repositoryKey changes when another repository comes to the same place
   */
  async open(repositoryKey: string, spec: PackSpec, build: Build): Promise<ReadyPack> {
    const pack = await this.#open(this.#keyOf(repositoryKey, spec), build)
    assert(!('growth' in pack), 'nobody has begun to send it')
    return pack
  }

  /** Where all of it is in memory, and nobody has to wait. */
  hotNow(repositoryKey: string, spec: PackSpec): ReadyHotPack | undefined {
    const hot = this.#hot.get(this.#keyOf(repositoryKey, spec))
    return hot?.isComplete === true ? { hot, reader: undefined, bytes: hot.bytes, objects: hot.objects } : undefined
  }

  /** As `open`, for the wire: as soon as a part of it is there. */
  openEarly(repositoryKey: string, spec: PackSpec, build: Build): Promise<ReadyPack | GrowingPack> {
    return this.#openEarly(this.#keyOf(repositoryKey, spec), build)
  }

  /** As `openEarly`; what is asked for again is kept in memory. */
  async openHot(repositoryKey: string, spec: PackSpec, build: Build): Promise<ReadyPack | ReadyHotPack | GrowingPack> {
    const now = this.hotNow(repositoryKey, spec)
    if (now !== undefined) return now
    const key = this.#keyOf(repositoryKey, spec)
    const isKnown = this.#packs.has(key)
    const pack = await this.#openEarly(key, build)
    if (!isKnown || 'growth' in pack) return pack
    const filled = this.#hot.of(key, pack)
    return filled === undefined ? pack : { ...pack, hot: filled }
  }

  #keyOf(repositoryKey: string, spec: PackSpec): string {
    let key = this.#keysOfSpecs.get(spec)
    if (key === undefined) {
      key = this.#keyOfAsked(repositoryKey, spec)
      this.#keysOfSpecs.set(spec, key)
    }
    return key
  }

  /** Clients that have read the same refs ask in the same order: what they ask is put in order once. */
  #keyOfAsked(repositoryKey: string, spec: PackSpec): string {
    const asked = keyOf(repositoryKey, spec, (oids) => oids)
    const known = this.#keys.get(asked)
    if (known !== undefined) return known
    const key = keyOf(repositoryKey, spec, (oids) => Array.from(new Set(oids)).sort())
    this.#keys.set(asked, key)
    return key
  }

  #openEarly(key: string, build: Build): Promise<ReadyPack | GrowingPack> {
    const { promise: begun, resolve } = Promise.withResolvers<GrowingPack>()
    // What becomes of it after that, its growth says.
    return Promise.race([begun, this.#open(key, build, resolve)])
  }

  /** @param onBegun told of a pack that can be sent before it is made */
  async #open(key: string, build: Build, onBegun?: (pack: GrowingPack) => void): Promise<ReadyPack | GrowingPack> {
    for (;;) {
      const ready = await this.#openKnown(key)
      if (ready !== undefined) return ready
      const others = this.#building.get(key)
      if (others === undefined) break
      // Whatever becomes of the other one's attempt, ours begins anew: from what it made, or by making it.
      await others
    }
    // Resolved when all is done, not when the pack is made: who waits must find it kept, or may wait for ever.
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#building.set(key, promise)
    try {
      for (let attempts = 1; ; attempts++) {
        const { made, growing } = await this.#build(build, onBegun)
        if (growing !== undefined) {
          this.#keep(key, made)
          return growing
        }
        const opened = await tryOpen(made).finally(() => this.#keep(key, made))
        if (opened !== undefined) return opened
        // A stored one may be replaced in the moment in which it is found.
        if (made.built || attempts === ATTEMPTS_MAX) throw new Error('A pack was gone as soon as it was made')
      }
    } finally {
      this.#building.delete(key)
      resolve()
    }
  }

  #keep(key: string, pack: CachedPack): void {
    this.#packs.set(key, pack)
    // Larger than the whole cache: it was not taken in.
    if (!this.#packs.has(key)) this.#discard(pack)
  }

  async #openKnown(key: string): Promise<ReadyPack | undefined> {
    const known = this.#packs.get(key)
    if (known === undefined) return undefined
    const opened = await tryOpen(known)
    // A stored pack that maintenance has replaced; another request may have seen that before us.
    if (opened === undefined && this.#packs.get(key) === known) this.#packs.delete(key)
    return opened
  }

  async #build(build: Build, onBegun?: (pack: GrowingPack) => void): Promise<BuiltPack> {
    const file = new LazyFile(this.#fileSystem, join(this.#directory, `${randomUUID()}.pack`))
    const growth = new PackGrowth(
      { write: (bytes, at) => this.#withRoom(() => file.write(bytes, at)) },
      file.path,
      onBegun,
    )
    let isKept = false
    try {
      const result = await build(growth)
      const growing = await growth.end()
      isKept = result.kind === 'built'
      const { bytes, objects } = result
      const made = { path: result.kind === 'built' ? file.path : result.packPath, bytes, objects, built: isKept }
      return { made, growing }
    } catch (error) {
      await growth.fail(error)
      throw error
    } finally {
      await file.close()
      if (!isKept) await file.remove()
    }
  }

  /** Reads go on when the disk is full (DESIGN §8): what is only kept for later makes room for what is wanted now. */
  async #withRoom(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!isDiskFull(error) || this.#packs.size === 0) throw error
      this.#packs.clear()
      await Promise.all(this.#discarding)
      await write()
    }
  }

  /** Whoever reads it still can: the name goes, the file stays open. */
  #discard(pack: CachedPack): void {
    if (!pack.built) return
    const gone = this.#fileSystem.unlink(pack.path).catch(this.#onError)
    this.#discarding.add(gone)
    void gone.finally(() => this.#discarding.delete(gone))
  }
}

/** @returns undefined where the file is gone, or is another one by now */
async function tryOpen({ path, bytes, objects }: CachedPack): Promise<ReadyPack | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    if ((await handle.stat()).size === bytes) return { path, reader: handle, bytes, objects }
  } catch (error) {
    await handle.close()
    throw error
  }
  await handle.close()
  return undefined
}

function keyOf(repositoryKey: string, spec: PackSpec, inOrder: (oids: readonly string[]) => readonly string[]): string {
  const { wants, haves, annotatedTags, shallow, filter, sparse, features } = spec
  const { blobBytes, treeDepth, type } = filter
  const parts = [
    `${repositoryKey}\n${digestOfTags(annotatedTags)}`,
    ...[wants, haves, shallow].map((oids) => inOrder(oids).join(' ')),
    `${features.thinPack} ${features.ofsDelta} ${blobBytes} ${treeDepth} ${type}`,
    // A path may hold any character.
    JSON.stringify(sparse),
  ]
  return hash('sha256', parts.join('\n'), 'base64')
}
