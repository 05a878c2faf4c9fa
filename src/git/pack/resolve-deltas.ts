import { applyDelta, decodeDeltaSizes } from '../delta.ts'
import type { EntryTable } from './entry-table.ts'
import { PackError } from './error.ts'
import { deltaTooDeep, type InflateBudget, type PackLimits } from './limits.ts'
import { type IndexerHooks, nameObject } from './name-object.ts'
import { inflateAt } from './inflate.ts'
import { type ByteSource, PackWindow } from './source.ts'
import type { WaitingDeltas } from './waiting-deltas.ts'

/** Bases kept while their deltas are resolved; beyond it the ones furthest away are made again when needed. */
const BASE_CACHE_BYTES_MAX = 96 * 1024 * 1024

/** Bases and their deltas lie anywhere. */
const WINDOW_BYTES = 64 * 1024

export interface ResolutionParts {
  readonly source: ByteSource
  readonly entriesEnd: number
  readonly entries: EntryTable
  readonly refDeltas: WaitingDeltas
  readonly limits: PackLimits
  readonly budget: InflateBudget
  readonly hooks: IndexerHooks
}

interface Resolution extends ResolutionParts {
  readonly window: PackWindow
  /** By entry: 1 where a delta on it, or on what is made of it, has no name yet. */
  readonly unfinished: Uint8Array
}

interface Frame {
  /** -1: a base from outside the pack. */
  readonly entry: number
  readonly type: number
  data: Buffer | undefined
  /** Deltas on this object that are still to be done. */
  readonly waiting: number[]
}

/**
 * Resolves the deltas that the scan left, each base's before the next base's, with a stack of our own.
 *
 * @returns the names of the bases that had to come from outside
 * @throws PackError delta_base_missing (also for cycles of names), delta_too_deep, delta_invalid and the budgets'
 */
export function resolveDeltas(parts: ResolutionParts): Buffer[] {
  const { entries, refDeltas, hooks } = parts
  const total = entries.count
  const externalBases: Buffer[] = []
  if (entries.named < total) {
    const window = new PackWindow(parts.source, parts.entriesEnd, WINDOW_BYTES)
    const resolution = { ...parts, window, unfinished: findUnfinished(entries, refDeltas) }
    for (let entry = 0; entry < total; entry++) {
      const type = entries.entryTypes[entry] as number
      if (type > 4 || resolution.unfinished[entry] === 0) continue
      const waiting = takeWaiting(resolution, entry)
      resolveFrom(resolution, { entry, type, data: inflateEntry(resolution, entry), waiting })
      hooks.onProgress('resolving', entries.named, total)
    }
    refDeltas.forEachBase((bytes, at) => {
      const oid = Buffer.from(bytes.subarray(at, at + 20))
      const base = hooks.readBase(oid)
      if (base === undefined) return
      const waiting: number[] = []
      refDeltas.take(oid, 0, (entry) => waiting.push(entry))
      externalBases.push(oid)
      resolveFrom(resolution, { entry: -1, type: base.type, data: base.data, waiting })
      hooks.onProgress('resolving', entries.named, total)
    })
  }
  const missing = total - entries.named
  if (missing > 0) {
    const oid = refDeltas.anyBase()
    throw new PackError(
      { code: 'delta_base_missing', oid, missing },
      `${missing} deltas have no base here, among them object ${oid}`,
    )
  }
  hooks.onProgress('resolving', total, total)
  return externalBases
}

/** A base that is known by its number comes before its deltas, so that one look at each entry from the end does. */
function findUnfinished(entries: EntryTable, refDeltas: WaitingDeltas): Uint8Array {
  const unfinished = new Uint8Array(entries.count)
  for (let entry = entries.count - 1; entry >= 0; entry--) {
    let found = entries.types[entry] !== 0 && refDeltas.has(entries.oids, (entries.names[entry] as number) * 20)
    for (let child = entries.firstChild[entry] as number; child >= 0 && !found;) {
      found = entries.types[child] === 0 || unfinished[child] === 1
      child = entries.nextSibling[child] as number
    }
    if (found) unfinished[entry] = 1
  }
  return unfinished
}

function resolveFrom(resolution: Resolution, root: Frame & { data: Buffer }): void {
  const { entries, limits, hooks, budget } = resolution
  let cachedBytes = root.data.length
  const stack: Frame[] = [root]
  for (;;) {
    const frame = stack[stack.length - 1]
    if (frame === undefined) return
    const child = frame.waiting.pop()
    if (child === undefined) {
      cachedBytes -= frame.data?.length ?? 0
      stack.pop()
      continue
    }
    if (stack.length > limits.deltaDepthMax) throw deltaTooDeep(limits, entries.offsets[child] as number)
    if (frame.data === undefined) cachedBytes += restore(resolution, stack)
    const base = frame.data as unknown as Buffer
    const delta = inflateEntry(resolution, child)
    budget.spend(decodeDeltaSizes(delta).resultBytes)
    const data = applyDelta(base, delta, limits.objectBytesMax)
    // The scan has named it already where it is only made again, for the sake of deltas on it.
    if (entries.types[child] === 0) nameObject(entries, child, frame.type, data, hooks)
    const waiting = takeWaiting(resolution, child)
    if (waiting.length === 0) continue
    // The last delta on a base: nobody will ask for the base again, so a chain costs one object, not its length.
    // A base from outside stays, as it cannot be made again from the pack.
    if (frame.waiting.length === 0 && frame.entry >= 0) {
      cachedBytes -= base.length
      frame.data = undefined
    }
    stack.push({ entry: child, type: frame.type, data, waiting })
    cachedBytes += data.length
    for (let i = 0; cachedBytes > BASE_CACHE_BYTES_MAX && i < stack.length - 1; i++) {
      const far = stack[i] as Frame
      if (far.entry < 0) continue
      cachedBytes -= far.data?.length ?? 0
      far.data = undefined
    }
  }
}

/** Makes the top frame's object again, from the nearest one below it that is still there. @returns the bytes it now holds */
function restore(resolution: Resolution, stack: readonly Frame[]): number {
  let from = stack.length - 1
  while (from > 0 && (stack[from] as Frame).data === undefined) from--
  const start = stack[from] as Frame
  // It was let go to make room, and may have to be made once more for each delta on it.
  if (start.data === undefined) resolution.budget.spend(resolution.entries.sizes[start.entry] as number)
  let data = start.data ?? inflateEntry(resolution, start.entry)
  for (let i = from + 1; i < stack.length; i++) {
    const delta = inflateEntry(resolution, (stack[i] as Frame).entry)
    resolution.budget.spend(delta.length + decodeDeltaSizes(delta).resultBytes)
    data = applyDelta(data, delta, resolution.limits.objectBytesMax)
  }
  const top = stack[stack.length - 1] as Frame
  top.data = data
  return data.length
}

function inflateEntry({ window, entries }: Resolution, entry: number): Buffer {
  const offset = entries.offsets[entry] as number
  const at = offset + (entries.headerBytes[entry] as number)
  return inflateAt(window, at, entries.sizes[entry] as number, offset).data
}

/** The deltas on an object that there is something to do for, by offset and by name; by name only once. */
function takeWaiting({ entries, refDeltas, unfinished }: Resolution, entry: number): number[] {
  const waiting: number[] = []
  for (let child = entries.firstChild[entry] as number; child >= 0; child = entries.nextSibling[child] as number)
    if (entries.types[child] === 0 || unfinished[child] === 1) waiting.push(child)
  refDeltas.take(entries.oids, (entries.names[entry] as number) * 20, (child) => waiting.push(child))
  return waiting
}
