import { setImmediate } from 'node:timers/promises'
import type { ObjectStore } from '../storage/objects/object-store.ts'

/** Clients may name very many, and others want the event loop, too. */
const LOOKS_PER_TURN = 1_000

/**
 * @param open the repository's objects, as they are opened at the moment; not asked for where nothing is looked for
 * @param oids 40 hex digits each
 */
export async function whichAreHere(
  open: () => Pick<ObjectStore, 'has'>,
  oids: readonly string[],
): Promise<{ readonly here: ReadonlySet<string>; readonly missing: readonly string[] }> {
  const here = new Set<string>()
  const missing: string[] = []
  if (oids.length === 0) return { here, missing }
  let objects = open()
  for (const [at, oid] of oids.entries()) {
    if (at % LOOKS_PER_TURN === LOOKS_PER_TURN - 1) {
      await setImmediate()
      // It may have been closed meanwhile, as one of many.
      objects = open()
    }
    if (objects.has(Buffer.from(oid, 'hex'))) here.add(oid)
    else missing.push(oid)
  }
  return { here, missing }
}

/**
 * @param open the repository's objects, as they are opened at the moment
 * @returns undefined where all are here: an operator's git may have brought or moved packs since we looked
 */
export async function firstMissing(
  open: () => Pick<ObjectStore, 'has' | 'refresh'>,
  oids: readonly string[],
): Promise<string | undefined> {
  if ((await whichAreHere(open, oids)).missing.length === 0) return undefined
  return firstMissingNow(open, oids)
}

/** As `firstMissing`, where an operator's git may also have taken some away. */
export async function firstMissingNow(
  open: () => Pick<ObjectStore, 'has' | 'refresh'>,
  oids: readonly string[],
): Promise<string | undefined> {
  if (oids.length === 0) return undefined
  open().refresh()
  return (await whichAreHere(open, oids)).missing[0]
}
