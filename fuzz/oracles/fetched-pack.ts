/** What a fetch has to bring, by a naive walk over everything (git-rev-list, "--objects"). */
import assert from 'node:assert/strict'
import { isFiltering } from '../../src/git/object-graph/filter.ts'
import type { UploadRequest } from '../../src/git/protocol/upload-request.ts'
import { closureOf, type Look, type PlainObject } from './closure.ts'
import type { FetchAnswer } from './fetch-answer.ts'
import { readPack } from './packs.ts'

interface Fetched {
  readonly wants: readonly string[]
  /** Those of the client's that are here. */
  readonly haves: readonly string[]
  /** Commits at which the client's history ends: before, and afterwards. */
  readonly shallowBefore: ReadonlySet<string>
  readonly shallowAfter: ReadonlySet<string>
}

/** Names of what is wanted and not had. */
function neededObjects({ wants, haves, shallowBefore, shallowAfter }: Fetched, look: Look): Set<string> {
  const had = closureOf(haves, cutAt(shallowBefore, look))
  const reached = closureOf(wants, cutAt(shallowAfter, look))
  for (const oid of had) reached.delete(oid)
  return reached
}

/** Commits at which history ends have no parents. */
function cutAt(shallow: ReadonlySet<string>, look: Look): Look {
  return (oid) => {
    const object = look(oid)
    return object === undefined || !shallow.has(oid) ? object : withoutParents(object)
  }
}

function withoutParents({ type, data }: PlainObject): PlainObject {
  return { type, data: Buffer.from(data.toString('latin1').replaceAll(/^parent [0-9a-f]{40}\n/gm, ''), 'latin1') }
}

/**
 * @param wants also those that were named by their refs
 * @param look of all that is here
 * @throws AssertionError where the pack is not what was asked for
 */
export function checkFetched(request: UploadRequest, wants: readonly string[], answer: FetchAnswer, look: Look): void {
  for (const oid of answer.acknowledged) assert(request.haves.includes(oid), 'acknowledged is what nobody has')
  if (answer.error !== undefined || answer.pack === undefined) return
  // Who says that its history ends at a commit has that commit.
  const haves = [...request.haves, ...answer.unshallow].filter((oid) => look(oid) !== undefined)
  const shallowBefore = new Set(request.shallows.filter((oid) => look(oid) !== undefined))
  const shallowAfter = new Set([...shallowBefore, ...answer.shallow].filter((oid) => !answer.unshallow.includes(oid)))
  const had = neededObjects({ wants: haves, haves: [], shallowBefore, shallowAfter: shallowBefore }, look)
  const isThin = request.capabilities.has('thin-pack')
  const bases = new Map(Array.from(isThin ? had : [], (oid) => [oid, look(oid) as PlainObject]))
  const brought = new Set(readPack(answer.pack, bases).objects.keys())
  for (const oid of brought) assert(look(oid) !== undefined)
  if (isFiltering(request.filter)) return
  const needed = neededObjects({ wants, haves, shallowBefore, shallowAfter }, look)
  for (const oid of needed) assert(brought.has(oid), `${oid} is needed and not brought`)
  if (request.capabilities.has('include-tag')) return
  // Some more than is needed may come: where commit times say nothing, and of what older commits hold (select.ts).
  const reached = neededObjects({ wants, haves: [], shallowBefore, shallowAfter }, look)
  for (const oid of brought) assert(reached.has(oid), `${oid} is brought, and nothing wanted reaches it`)
}
