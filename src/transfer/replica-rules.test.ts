import { describe, expect, it } from 'vitest'
import { NO_HASH, type RefChange, type VerifiedEntry } from '../storage/repositories/ref-log.ts'
import type { Ref, RefSnapshot } from '../storage/repositories/ref-store.ts'
import { foldEntries, judgeMirrored, ReplicaError } from './replica-rules.ts'
import type { Tip } from './workers/tasks.ts'

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string]
const MAIN = 'refs/heads/main'

function snapshotOf(refs: Record<string, string>): RefSnapshot {
  const list: Ref[] = Object.entries(refs).map(([name, oid]) => ({ name, oid, peeled: null }))
  const byName = new Map(list.map((ref) => [ref.name, ref]))
  return { sequence: 0, head: MAIN, headUnborn: false, refs: list, byName }
}

function entry(changes: readonly RefChange[], head?: string): VerifiedEntry {
  const rest = { repository: 'r', sequence: 1, timeMs: 0, previous: NO_HASH, hash: NO_HASH, signature: NO_HASH }
  return { ...rest, head, changes }
}

const change = (ref: string, oldOid: string | undefined, newOid: string | undefined): RefChange => ({
  ref,
  oldOid,
  newOid,
})
const commits = (...oids: string[]): Map<string, Tip> =>
  new Map(oids.map((oid) => [oid, { oid, type: 1, peeled: null }]))
const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work()
    return 'taken'
  } catch (error) {
    return error instanceof ReplicaError ? error.detail.code : String(error)
  }
}

describe('foldEntries', () => {
  const number = (entries: readonly VerifiedEntry[]): VerifiedEntry[] =>
    entries.map((one, at) => ({ ...one, sequence: at + 1 }))

  it('comes to what all entries together change, whatever was in between', async () => {
    const entries = number([
      entry([change(MAIN, A, B), change('refs/heads/x', undefined, A)]),
      entry([change(MAIN, B, C), change('refs/heads/x', A, undefined)], 'refs/heads/y'),
      entry([change('refs/heads/y', undefined, B)], MAIN),
      entry([]),
    ])
    expect(await foldEntries(snapshotOf({ [MAIN]: A }), entries, 10)).toEqual({
      commands: [change(MAIN, A, C), change('refs/heads/y', undefined, B)],
      head: MAIN,
      oids: [C, B],
      to: { sequence: 4, hash: NO_HASH, timeMs: 0, head: MAIN },
    })
  })

  it('comes to nothing where all is as it was', async () => {
    const entries = [entry([change(MAIN, A, B)]), entry([change(MAIN, B, A)])]
    const nothing = { commands: [], head: undefined, oids: [], to: { sequence: 1, head: undefined } }
    expect(await foldEntries(snapshotOf({ [MAIN]: A }), entries, 10)).toMatchObject(nothing)
  })

  it.each([
    { name: 'refs that differ are as many as may', refsMax: 3, to: 4 },
    { name: 'one more would be too many', refsMax: 2, to: 3 },
    { name: 'the first entry alone changes more', refsMax: 0, to: 1 },
  ])('goes to entry $to where $name', async ({ refsMax, to }) => {
    const entries = number([
      entry([change(MAIN, A, B), change('refs/heads/x', undefined, A)]),
      // What came and went counts no more.
      entry([change('refs/heads/x', A, undefined)]),
      entry([change('refs/heads/y', undefined, A)]),
      entry([change('refs/heads/z', undefined, C)]),
    ])
    expect((await foldEntries(snapshotOf({ [MAIN]: A }), entries, refsMax)).to.sequence).toBe(to)
  })

  it.each([
    { name: 'from what is not here', changes: [change(MAIN, B, C)] },
    { name: 'as new what is here', changes: [change(MAIN, undefined, C)] },
    { name: 'what is not here', changes: [change('refs/heads/x', A, undefined)] },
    { name: 'twice from the same', changes: [change(MAIN, A, B), change(MAIN, A, C)] },
  ])('refuses a change $name', async ({ changes }) => {
    expect(await codeOf(() => foldEntries(snapshotOf({ [MAIN]: A }), [entry(changes)], 10))).toBe('history_contradicts')
  })
})

describe('judgeMirrored', () => {
  const judge = async (changes: readonly RefChange[], head?: string, tips = commits(A, B, C)) => {
    const snapshot = snapshotOf({ [MAIN]: A })
    return judgeMirrored(await foldEntries(snapshot, [entry(changes, head)], 10), snapshot, tips)
  }

  it('takes what a pusher may do', async () => {
    expect(await judge([change(MAIN, A, B)])).toEqual([{ name: MAIN, oldOid: A, newOid: B, peeled: null }])
  })

  it('takes the deletion of what HEAD pointed to, once it points elsewhere', async () => {
    const changes = [change(MAIN, A, undefined), change('refs/heads/new', undefined, B)]
    expect(await codeOf(() => judge(changes))).toBe('refs_refused')
    expect(await judge(changes, 'refs/heads/new')).toHaveLength(2)
  })

  it('takes that a branch went, and HEAD was pointed to it afterwards, as may be where HEAD named none', async () => {
    const snapshot = { ...snapshotOf({ [MAIN]: A }), head: 'refs/heads/unborn' }
    const entries = [entry([change(MAIN, A, undefined)]), entry([], MAIN)]
    const folded = await foldEntries(snapshot, entries, 10)
    expect(judgeMirrored(folded, snapshot, commits())).toMatchObject([{ name: MAIN, newOid: undefined }])
  })

  it.each([
    { name: 'a name that git refuses', changes: [change('refs/heads/a..b', undefined, B)] },
    { name: 'a ref where another one needs a folder', changes: [change(`${MAIN}/x`, undefined, B)] },
    { name: 'an object that did not come', changes: [change(MAIN, A, B)], tips: commits(A) },
    { name: 'HEAD at a tag', changes: [], head: 'refs/tags/v1' },
    { name: 'HEAD at two lines', changes: [], head: 'refs/heads/a\nb' },
  ])('refuses $name', async ({ changes, head, tips }) => {
    expect(await codeOf(() => judge(changes, head, tips))).toBe('refs_refused')
  })
})
