import { createHash } from 'node:crypto'
import { join } from 'node:path'

import { GutsError } from '../../errors.ts'
import { forEachLink } from '../../git/fsck/links.ts'
import { ObjectChecker } from '../../git/fsck/object-checker.ts'
import { typeNameOf } from '../../git/object/type.ts'
import { OidMap } from '../../git/pack/oid-map.ts'
import type { DataPaths } from '../data-directory.ts'
import type { Database } from '../database/database.ts'
import { damagedHelps } from '../objects/check-helps.ts'
import { ObjectStore } from '../objects/object-store.ts'
import type { StoredObject } from '../objects/pack-file.ts'
import type { RepositoryRow } from './pack-rows.ts'
import { RefTips } from './ref-tips.ts'

/** So many are told of; who has more of them has one cause for all. */
export const PROBLEMS_MAX = 100
const PROGRESS_EVERY = 1_000
const CACHE_BYTES = 16 * 1024 * 1024

export interface FsckProblem {
  /** Empty where it is a file, and no object, that is wrong. */
  readonly oid: string
  /** A sentence. */
  readonly message: string
}

export interface FsckReport {
  readonly objects: number
  /** The first of them. */
  readonly problems: readonly FsckProblem[]
}

/**
 * Reads everything that these objects need, and checks each by its name and by the rules of `git fsck --strict`. What is
 * wrong is told, and the rest looked at all the same. Synchronous, and as long as the repository is large.
 *
 * @param tips 40 hex digits each
 * @param onProgress objects so far; called seldom
 */
export function fsckObjects(
  store: ObjectStore,
  tips: Iterable<string>,
  onProgress: (objects: number) => void,
): FsckReport {
  const walk = new FsckWalk(store)
  for (const tip of tips) walk.need(Buffer.from(tip, 'hex'), 0, 0)
  let objects = 0
  while (walk.next()) if (++objects % PROGRESS_EVERY === 0) onProgress(objects)
  walk.finish()
  return { objects, problems: walk.problems }
}

/**
 * A repository as it is now, beside whatever node changes it: the refs are read first, and what they need stays.
 *
 * @param onProgress objects looked at, and how many there are
 */
export function fsckRepository(
  { id, owner, name }: RepositoryRow,
  { paths, database }: { readonly paths: DataPaths; readonly database: Database },
  onProgress: (done: number, total: number) => void,
): FsckReport & { readonly refs: number } {
  const tips = new RefTips(database).of(id)
  const path = join(paths.repositories, owner, `${name}.git`)
  let store: ObjectStore
  try {
    store = ObjectStore.held(path, CACHE_BYTES)
  } catch (error) {
    if (!(error instanceof GutsError)) throw error
    return { refs: tips.length, objects: 0, problems: [{ oid: '', message: error.message }] }
  }
  try {
    const total = store.countMax()
    const { objects, problems } = fsckObjects(store, tips, (done) => onProgress(Math.min(done, total), total))
    const helps = damagedHelps(path, store.packs).map((message) => ({ oid: '', message }))
    return { refs: tips.length, objects, problems: [...problems, ...helps] }
  } finally {
    store.close()
  }
}

class FsckWalk {
  readonly problems: FsckProblem[] = []
  readonly #store: ObjectStore
  readonly #checker = new ObjectChecker()
  /** By name: the type it is needed as; 0: any. */
  readonly #seen = new OidMap()
  readonly #open: Buffer[] = []

  constructor(store: ObjectStore) {
    this.#store = store
  }

  need(oids: Buffer, at: number, type: number): void {
    const before = this.#seen.get(oids, at)
    if (before === -1) {
      this.#seen.set(oids, at, type)
      this.#open.push(Buffer.from(oids.subarray(at, at + 20)))
    } else if (before === 0) this.#seen.set(oids, at, type)
    else if (type !== 0 && before !== type) {
      this.#tell(oids, at, `is named both as a ${typeNameOf(before)} and as a ${typeNameOf(type)}`)
    }
  }

  /** @returns false where nothing is left */
  next(): boolean {
    const oid = this.#open.pop()
    if (oid === undefined) return false
    this.#trying(oid, () => {
      const object = this.#store.mustRead(oid)
      if (!nameOf(object).equals(oid)) return this.#tell(oid, 0, 'is damaged: by its bytes it has another name')
      const wanted = this.#seen.get(oid)
      if (wanted > 0 && wanted !== object.type) {
        this.#tell(oid, 0, `is a ${typeNameOf(object.type)} and is named as a ${typeNameOf(wanted)}`)
      }
      this.#seen.set(oid, 0, object.type)
      this.#trying(oid, () => this.#checker.check(object.type, object.data, oid))
      forEachLink(object.type, object.data, (oids, at, type) => this.need(oids, at, type))
    })
    return true
  }

  finish(): void {
    this.#trying(undefined, () => this.#checker.finish((oid) => this.#store.read(oid)))
  }

  #trying(oid: Buffer | undefined, check: () => void): void {
    try {
      check()
    } catch (error) {
      if (!(error instanceof GutsError)) throw error
      const detail = error.detail as { readonly oid?: string }
      this.#add({ oid: detail.oid ?? oid?.toString('hex') ?? '', message: error.message })
    }
  }

  #tell(oids: Buffer, at: number, what: string): void {
    const oid = oids.toString('hex', at, at + 20)
    this.#add({ oid, message: `Object ${oid} ${what}` })
  }

  #add(problem: FsckProblem): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(problem)
  }
}

function nameOf({ type, data }: StoredObject): Buffer {
  return createHash('sha1')
    .update(`${typeNameOf(type)} ${data.length}\0`)
    .update(data)
    .digest()
}
