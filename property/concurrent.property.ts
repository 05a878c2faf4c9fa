/** Pushes, reads, maintenance and deletion at once, in every order in which their steps may fall. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import type { Caller } from '../src/collaboration/caller.ts'
import { type Answer, type Call, MAIN, REPOSITORY } from './concurrent-model.ts'
import { COMMITS, type Plan, type PlannedWish, Site } from './concurrent-site.ts'
import { GatedNode } from './gated-node.ts'
import { linearize, type Recorded } from './linearizability.ts'
import { prop } from './prop.ts'

const REFS = [MAIN, 'refs/heads/a', 'refs/heads/a/b']

let node: GatedNode
let alice: Caller
let repositories = 0
beforeAll(async () => {
  node = await GatedNode.open()
  const user = await node.data.users.create({ username: 'alice', admin: false })
  alice = { userId: user.id, username: 'alice', admin: false, tokenId: '' }
})
afterAll(() => node[Symbol.asyncDispose]())

type Taken = Recorded<Call, Answer>

const isStale = ({ answer }: Taken): boolean => answer?.is === 'report' && answer.verdicts.includes('stale')
const isBeside = (other: Taken, one: Taken): boolean =>
  other !== one && other.call.does !== 'read' && other.calledAt < one.answeredAt && one.calledAt < other.answeredAt

const number = fc.nat(COMMITS.length - 1)
const value = fc.oneof({ weight: 3, arbitrary: number }, { weight: 2, arbitrary: fc.constant(undefined) })
const wish: fc.Arbitrary<PlannedWish> = fc.record({
  ref: fc.constantFrom(...REFS),
  from: fc.oneof({ weight: 5, arbitrary: fc.constant('known' as const) }, { weight: 1, arbitrary: value }),
  to: value,
})
const call: fc.Arbitrary<Plan> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('push' as const),
      wishes: fc.uniqueArray(wish, { minLength: 1, maxLength: 2, selector: ({ ref }) => ref }),
      atomic: fc.boolean(),
      brings: fc.constantFrom(0, 1, 1, COMMITS.length),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('maintain' as const) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('read' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('delete' as const) }) },
)

/** All commits have come, and nothing has reached the last two for weeks: the next maintenance lets them go. */
const LONG_UNREACHED: readonly Plan[] = [
  { does: 'push', wishes: [{ ref: MAIN, from: undefined, to: 0 }], atomic: false, brings: 1 },
  { does: 'push', wishes: [{ ref: 'refs/heads/old', from: undefined, to: 2 }], atomic: false, brings: COMMITS.length },
  { does: 'push', wishes: [{ ref: 'refs/heads/old', from: 2, to: undefined }], atomic: false, brings: 0 },
  { does: 'maintain' },
]
const before = fc.oneof(fc.array(call, { maxLength: 3 }), fc.constant(LONG_UNREACHED))

prop([fc.scheduler(), before, fc.array(call, { minLength: 2, maxLength: 4 })])(
  'pushes, reads, maintenance and deletion at once are as if one came after the other',
  async (scheduler, earlier, atOnce) => {
    const name = `r${repositories++}`
    const made = await node.data.repositories.create({ name, description: '', private: false }, alice)
    const site = new Site(node, alice, { id: made.id, owner: 'alice', name })
    for (const one of earlier) await node.drive(scheduler, [site.take(one)])
    await node.drive(
      scheduler,
      atOnce.map((one) => site.take(one)),
    )
    await site.take({ does: 'read' })
    const history = site.history.map((one): Taken => {
      if (one.call.does !== 'push') return one
      const isBesideOthers = site.history.some((other) => isBeside(other, one))
      return { ...one, call: { ...one.call, isBesideOthers } }
    })
    assert.ok(linearize(history, REPOSITORY) !== undefined, JSON.stringify(history, undefined, 1))
    // Nothing is taken away from a push that nobody else worked beside.
    for (const one of history) if (isStale(one)) assert.ok(history.some((other) => isBeside(other, one)))
    await site.close()
  },
)
