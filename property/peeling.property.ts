/** What it costs to find the commits that tags are of: clients name as many of them as they like. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { commit, type MadeObject, tag, tree } from '../integration/support/pack-maker.ts'
import { findBoundary } from '../src/git/object-graph/deepen.ts'
import { everyWantReaches } from '../src/git/object-graph/reach.ts'
import { OBJECT_TYPE } from '../src/git/object/type.ts'
import { prop } from './prop.ts'

const ROOT = commit(tree().oid)
const choices = fc.array(fc.nat(), { minLength: 1, maxLength: 40 })
/** Each a tag of one of the last, so that lines are long. */
const lines = fc.array(fc.nat(2), { minLength: 1, maxLength: 40 })

prop([lines, choices])('an object is read for each name that a client gives, or once', (backs, chosen) => {
  const objects: MadeObject[] = [ROOT]
  for (const [number, back] of backs.entries()) {
    const { oid, type } = objects.at(-1 - back) ?? ROOT
    objects.push(tag(oid, type, `t${number}`))
  }
  const byName = new Map(objects.map((object) => [object.oid, object]))
  let reads = 0
  const reader = {
    read(oid: Buffer, at: number) {
      reads++
      const { type, data } = byName.get(oid.toString('hex', at, at + 20)) as MadeObject
      return { type: OBJECT_TYPE[type], data }
    },
  }
  const wants = chosen.map((one) => Buffer.from(objects[one % objects.length]?.oid ?? '', 'hex'))
  const readsMax = objects.length + wants.length + 3
  const deepening = { depth: 1, relative: false, sinceS: undefined, not: [] }
  assert(everyWantReaches(reader, wants, [Buffer.from(ROOT.oid, 'hex')]))
  assert(reads <= readsMax, `${reads} reads of ${objects.length} objects`)
  reads = 0
  const { shallow } = findBoundary(reader, wants, [], deepening) ?? { shallow: [] }
  assert.deepEqual(
    shallow.map((oid) => oid.toString('hex')),
    [ROOT.oid],
  )
  assert(reads <= readsMax, `${reads} reads of ${objects.length} objects`)
})
