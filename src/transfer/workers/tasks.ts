import type { MessagePort } from 'node:worker_threads'

import type { ObjectFilter } from '../../git/object-graph/filter.ts'
import type { PackLimits } from '../../git/pack/limits.ts'
import type { DeepenRequest } from '../../git/protocol/history-arguments.ts'
import type { PruneAim, PruneFigures, PruneScope } from '../maintenance/pruning-limits.ts'
import type { PackFeatures } from '../pack-builder.ts'

/** What the main thread asks of a worker, and what it gets. Everything here survives structured cloning. */

export interface Tip {
  /** 40 hex digits */
  readonly oid: string
  /** 1 commit, 2 tree, 3 blob, 4 tag; undefined: there is no such object */
  readonly type: number | undefined
  /** What a tag finally points to. */
  readonly peeled: string | null
}

export interface IndexTask {
  readonly repositoryPath: string
  readonly packPath: string
  readonly limits: PackLimits
  /** Objects that refs are to point to. */
  readonly tips: readonly string[]
  /** `Arrival.shared`, where the file is still being written; undefined: it is whole. */
  readonly arrival?: SharedArrayBuffer
  /** For completing a thin pack: writes to the pack's file. */
  readonly port: MessagePort
}

export interface ObjectCounts {
  readonly commits: number
  readonly trees: number
  readonly blobs: number
  readonly tags: number
}

/** A pack that is refused says why; anything else that goes wrong in a worker is thrown. */
export type IndexResult =
  | {
      readonly accepted: true
      readonly packName: string
      readonly packBytes: number
      /** The pack was thin: bases were appended to it. */
      readonly completed: boolean
      readonly index: Uint8Array
      /** In the pack as it was received. */
      readonly objects: number
      /** Of them, those that were not here before. */
      readonly counts: ObjectCounts
      readonly tips: readonly Tip[]
    }
  | {
      readonly accepted: false
      readonly code: string
      readonly reason: string
      /** The file was not read as a whole: what is wrong with that, if anything is, may be something else. */
      readonly early: boolean
    }

export interface HelpsTask {
  readonly repositoryPath: string
  /** What refs point to: 40 hex digits each. */
  readonly tips: readonly string[]
  /** A commit-graph that has fewer is old. */
  readonly commitsKnown: number
  /** Also what is new enough. */
  readonly anew: boolean
}

/** What walks over a repository are helped by, as files that C git reads; undefined where there is nothing to write. */
export interface HelpsResult {
  /** `objects/info/commit-graph` */
  readonly graph: Uint8Array | undefined
  /** To lie beside the pack. */
  readonly bitmap: { readonly packName: string; readonly bytes: Uint8Array } | undefined
}

export interface NegotiateTask {
  readonly repositoryPath: string
  readonly wants: readonly string[]
  /** What the client has and we have too. */
  readonly common: readonly string[]
}

export interface MeasureTask {
  readonly repositoryPath: string
  /** 40 hex digits each */
  readonly oids: readonly string[]
}

/** Bytes of each object; undefined where it is not here. */
export type MeasureResult = readonly (number | undefined)[]

export interface DeepenTask {
  readonly repositoryPath: string
  readonly wants: readonly string[]
  /** Commits at which the client's history ends now. */
  readonly shallows: readonly string[]
  /** The refs that it names are resolved to object ids. */
  readonly deepen: DeepenRequest
}

/** As `Boundary`, in hex digits; undefined where nothing of what is wanted is young enough. */
export type DeepenResult =
  | { readonly shallow: readonly string[]; readonly unshallow: readonly string[]; readonly parents: readonly string[] }
  | undefined

/** Patterns of a sparse checkout: an object, or what lies at a path in it. */
export interface SparseSource {
  /** 40 hex digits */
  readonly oid: string
  /** Empty: the object itself. */
  readonly path: string
}

export interface BuildTask {
  readonly repositoryPath: string
  readonly wants: readonly string[]
  readonly haves: readonly string[]
  /** Tag objects to add where what they point to is sent. */
  /** 20 bytes each. */
  readonly annotatedTags: Uint8Array
  /** Commits at which the receiver's history ends. */
  readonly shallow: readonly string[]
  readonly filter: ObjectFilter
  /** What `filter.sparse` names, in its order. */
  readonly sparse: readonly SparseSource[]
  readonly features: PackFeatures
  /** Writes to the new pack's file. */
  readonly port: MessagePort
}

export type BuildResult =
  /** The receiver needs exactly what this stored pack holds. */
  | { readonly kind: 'stored'; readonly packPath: string; readonly objects: number; readonly bytes: number }
  | { readonly kind: 'built'; readonly objects: number; readonly bytes: number }
  /** The filter cannot be followed: the client is told why. */
  | { readonly kind: 'refused'; readonly reason: string }

export interface RepackTask {
  readonly repositoryPath: string
  /** What the port writes to. */
  readonly packPath: string
  /** Those to bring together, the one that is read first first. */
  readonly packs: readonly TakenPack[]
  readonly port: MessagePort
}

export interface TakenPack {
  /** Without `pack-`. */
  readonly name: string
  /** What is taken of it, by its place in the pack, as words of a `BitSet`; left out of all: everything, once. */
  readonly positions?: Uint32Array<ArrayBuffer>
}

export interface RepackResult {
  /** Those of them that were there. */
  readonly packs: readonly string[]
  readonly packName: string
  readonly packBytes: number
  readonly index: Uint8Array
  readonly objects: number
  readonly counts: ObjectCounts
}

export interface CountTask {
  readonly repositoryPath: string
  /** Names, without `pack-`, of packs that nobody has counted. */
  readonly packs: readonly string[]
}

/** Of each that is there, in its order: what lies neither in one before it nor in a pack that was counted. */
export type CountResult = readonly (ObjectCounts & { readonly name: string; readonly bytes: number })[]

export interface PrunePlanTask {
  readonly repositoryPath: string
  /** What refs point to: 40 hex digits each. */
  readonly tips: readonly string[]
  /** What they pointed to within the grace. */
  readonly lately: readonly string[]
  /** Names, without `pack-`, of packs to be written anew, the one that is read first first; all others stay. */
  readonly ordinary: readonly string[]
  /** Of those that git, or maintenance, keeps what nothing reaches in. */
  readonly cruft: readonly string[]
  /** Since 1970. */
  readonly nowS: number
  readonly graceS: number
  readonly aim: PruneAim
  /** Bitmaps and the commit-graph are taken at their word: enough to know whether it pays, and not for what may go. */
  readonly trusting: boolean
}

export interface PrunePlan {
  /** All that there were, without `pack-`. */
  readonly packs: readonly string[]
  readonly scope: PruneScope
  readonly figures: PruneFigures
  /** Names of packs that what is chosen takes the place of. */
  readonly replaced: readonly string[]
  /** What refs reach: from packs of which something is taken. */
  readonly main: readonly TakenPack[]
  /** What they do not reach, and stays. */
  readonly cruft: readonly TakenPack[]
  /** Of those, in the order of names: since when, in seconds since 1970. */
  readonly timesS: Uint32Array
  /** The commit-graph names something of what goes. */
  readonly isGraphStale: boolean
}
