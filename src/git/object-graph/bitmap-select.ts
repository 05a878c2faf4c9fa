import { BitSet } from '../bitmap/bit-set.ts'
import { BitmapClosure } from './bitmap-closure.ts'
import type { ObjectFilter } from './filter.ts'
import { Peeler, type SizedObjectReader } from './object-reader.ts'
import { NO_TAG, type Reachability } from './reachability.ts'
import type { Selecting, Selection } from './select.ts'

/**
 * Commits between what the receiver has and what is written down: so many are walked, trees and all, to know exactly what
 * it has. Two that have bitmaps lie 100 apart in the newer part of history, on each of its branches.
 */
export const COMMITS_HAD_MAX = 400

/**
 * What a receiver needs, from what is written down about reachability.
 *
 * @returns undefined where a walk does as well: no history is wanted, or only parts of it, or too little is written down
 *   about what the receiver has
 */
export function selectByBitmaps(reader: SizedObjectReader, selecting: Selecting): Selection | undefined {
  const { wants, haves, annotatedTags = [], shallow = [], filter } = selecting
  // What was cut off hides which objects the receiver has, and no filter but that of blobs is told by what is written down.
  if (shallow.length > 0 && haves.length > 0) return undefined
  if (filter !== undefined && !filtersBlobsOnly(filter)) return undefined
  const peeler = new Peeler(reader)
  if (!wants.some((want) => peeler.commitOf(want) !== undefined)) return undefined
  const { reachability } = reader
  if (reachability === undefined) return undefined
  const closure = new BitmapClosure(reader, reachability, shallow)
  if (closure.add(haves, COMMITS_HAD_MAX) === 'too-many') return undefined
  const had = closure.found.copy()
  const blobBytes = filter?.blobBytes ?? Number.POSITIVE_INFINITY
  // A blob that the client names is sent whatever the filter says.
  if (closure.add(wants) !== 'commits' && blobBytes !== Number.POSITIVE_INFINITY) return undefined
  const unsent = new BitSet(0)
  for (const tag of annotatedTags) includeTag(closure, had, unsent, tag)
  const isSmall = (oid: Buffer): boolean => reader.sizeOf(oid, 0) < blobBytes
  const numbers = closure.found
  numbers.removeAll(had)
  let { others } = closure
  numbers.truncate(reachability.objects)
  if (blobBytes !== Number.POSITIVE_INFINITY) {
    others = others.filter(({ oid, isBlob }) => !isBlob || (blobBytes > 0 && isSmall(oid)))
    dropBlobs(reachability, numbers, blobBytes > 0 ? isSmall : undefined)
  }
  return {
    oids: Buffer.concat(others.map(({ oid }) => oid)),
    count: others.length,
    numbered: { numbers, reachability },
    // Of what a receiver with a filter has, it has a part: nobody knows which.
    isKnown: (oid, at) => blobBytes === Number.POSITIVE_INFINITY && closure.isIn(had, oid, at),
  }
}

function filtersBlobsOnly({ treeDepth, type, sparse }: ObjectFilter): boolean {
  return treeDepth === undefined && type === undefined && sparse.length === 0
}

function dropBlobs(known: Reachability, numbers: BitSet, isSent: ((oid: Buffer) => boolean) | undefined): void {
  if (isSent === undefined) {
    numbers.removeAll(known.blobs)
    return
  }
  const oid = Buffer.alloc(20)
  known.blobs.forEach((number) => {
    if (!numbers.has(number)) return
    known.copyOid(number, oid, 0)
    if (!isSent(oid)) numbers.remove(number)
  })
}

/** Adds a tag, and the tags between it and what it points to, when that is being sent (include-tag). */
function includeTag(closure: BitmapClosure, had: BitSet, unsent: BitSet, tag: Buffer): void {
  const chain: number[] = []
  let isSent = false
  for (let number = closure.numberFor(tag, 0); ;) {
    const isFound = closure.found.has(number)
    isSent = isFound && !had.has(number)
    if (isFound || unsent.has(number)) break
    const target = closure.targetOf(number)
    if (target === NO_TAG) break
    chain.push(number)
    number = target
  }
  // Tags may be tags of each other, in a long line: it is walked once, not for each of them.
  const both = isSent ? closure.found : unsent
  for (const number of chain) both.add(number)
}
