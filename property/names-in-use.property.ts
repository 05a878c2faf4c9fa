/** Which names of refs are in each other's way, against asking each of each. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { compareRefNames } from '../src/git/ref-name.ts'
import type { RefSnapshot } from '../src/storage/repositories/ref-store.ts'
import { NamesInUse } from '../src/transfer/names-in-use.ts'
import { prop } from './prop.ts'

// Characters before and behind the slash, and some that UTF-16 and UTF-8 sort differently.
const part = fc.string({ unit: fc.constantFrom('a', 'b', '-', '0', '\ufffd', '🚀'), minLength: 1, maxLength: 2 })
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `refs/${parts.join('/')}`)

const standInTheWay = (one: string, other: string): boolean =>
  one.startsWith(`${other}/`) || other.startsWith(`${one}/`)

/** As a repository has them: none is a folder of another. */
function withoutConflicts(names: readonly string[]): string[] {
  const kept: string[] = []
  for (const one of names) if (!kept.some((other) => other === one || standInTheWay(one, other))) kept.push(one)
  return kept.sort(compareRefNames)
}

function snapshotOf(names: readonly string[]): RefSnapshot {
  const refs = names.map((one) => ({ name: one, oid: 'a1'.repeat(20), peeled: null }))
  return { sequence: 1, head: 'HEAD', headUnborn: false, refs, byName: new Map(refs.map((ref) => [ref.name, ref])) }
}

prop([
  fc.array(fc.tuple(name, fc.boolean()), { maxLength: 30 }),
  fc.array(fc.oneof(name, fc.nat(29)), { minLength: 1, maxLength: 30 }),
])('a name is free where none of the others is its folder, or lies in it', (existing, wanted) => {
  const goesAway = new Map(existing.toReversed())
  const refs = withoutConflicts(existing.map(([one]) => one))
  const deleted = new Set(refs.filter((one) => goesAway.get(one) === true))
  const names = new NamesInUse(snapshotOf(refs), deleted)
  const there = new Set(refs.filter((one) => !deleted.has(one)))
  for (const next of wanted) {
    // A number is what is there already: a ref that gets another value.
    const one = typeof next === 'string' ? next : refs[next]
    if (one === undefined) continue
    const inTheWay = [...there].filter((other) => standInTheWay(one, other))
    const said = names.conflictWith(one)
    assert.equal(said !== undefined, inTheWay.length > 0, `${one} beside ${[...there].join()}: ${said}`)
    if (said === undefined) {
      names.add(one)
      there.add(one)
    } else
      assert.ok(
        inTheWay.some((other) => said === `'${other}' exists; cannot create '${one}'`),
        said,
      )
  }
})
