/** Whatever comes, goes and is maintained in whatever order: what refs reach stays, and so does what is recent. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll, vi } from 'vitest'
import { blob, commit, type MadeObject, tag, tree } from '../integration/support/pack-maker.ts'
import { openMaintainedSite, writePackOf } from '../src/transfer/maintenance/testing.ts'
import { GitWorkers } from '../src/transfer/workers/pool.ts'
import { run } from './histories.ts'
import { prop } from './prop.ts'

const GRACE_S = 100
/** As the files have it, whose times git goes by. */
const NOW_S = Math.floor(Date.now() / 1_000)

let workers: GitWorkers
beforeAll(() => void (workers = new GitWorkers()))
afterAll(() => workers.close())

/** A commit, some of whose parents and files came before; those are named by how many back they are. */
const change = fc.record({
  parents: fc.array(fc.nat(5), { maxLength: 2 }),
  files: fc.array(fc.nat(7), { minLength: 1, maxLength: 3 }),
  tagged: fc.boolean(),
})

const ref = fc.nat(1)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('push' as const), ref, change }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), ref }) },
  // To what may be reached by nothing, if it is still there.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restore' as const), ref, back: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), forS: fc.constantFrom(1, 60, GRACE_S + 1) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('prune' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('repack by git' as const) }) },
)

prop([fc.array(step, { minLength: 16, maxLength: 32 })], { numRuns: 10 })(
  'nothing is pruned that refs reach, or have reached within the grace',
  async (steps) => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW_S * 1_000 })
    await using site = await openMaintainedSite(GRACE_S, workers)
    const git = (...args: readonly string[]): string => run(site.path, args).toString()
    const stored = (): Set<string> => new Set([...site.packs().values()].flatMap((pack) => [...pack.keys()]))
    const refs = new Map<string, string>()
    const made: { oid: string; closure: Set<string> }[] = []
    /** By object: the second in which a ref last reached it. */
    const reachedAt = new Map<string, number>()
    let nowS = NOW_S
    const note = (): void => {
      for (const tip of refs.values()) {
        for (const oid of made.find((one) => one.oid === tip)?.closure ?? []) reachedAt.set(oid, nowS)
      }
    }
    try {
      for (const one of steps) {
        note()
        switch (one.kind) {
          case 'push': {
            const present = stored()
            const { objects, tip } = makeChange(one.change, made, present)
            // What a client thinks is there is left out of its pack, and what is not is refused.
            const fresh = objects.filter(({ oid }) => !present.has(oid))
            if (fresh.length > 0) writePackOf(site.path, fresh)
            if (!made.some(({ oid }) => oid === tip.oid)) made.push(tip)
            refs.set(`refs/${one.change.tagged ? 'tags' : 'heads'}/b${one.ref}`, tip.oid)
            break
          }
          case 'delete':
            for (const name of refs.keys()) if (name.endsWith(String(one.ref))) refs.delete(name)
            break
          case 'restore': {
            const tip = made.at(-1 - one.back)
            if (tip !== undefined && stored().has(tip.oid)) refs.set(`refs/tags/r${one.ref}`, tip.oid)
            break
          }
          case 'wait':
            nowS += one.forS
            vi.setSystemTime(nowS * 1_000)
            break
          case 'prune':
            await site.prune()
            break
          case 'repack by git':
            git('repack', '-d', '--cruft', '--quiet')
        }
        await site.setRefs(refs)
        note()
        const here = stored()
        for (const { oid, closure } of made) {
          // Whatever is here has all that it needs here, also where nothing reaches it: a push may name it.
          if (here.has(oid)) for (const needed of closure) assert.ok(here.has(needed), `${oid} lacks ${needed}`)
        }
        for (const [oid, atS] of reachedAt) assert.ok(here.has(oid) || nowS - atS > GRACE_S, `${oid} went too early`)
        if (one.kind !== 'prune') continue
        git('fsck', '--strict', '--connectivity-only')
        const reached = git('rev-list', '--objects', '--no-object-names', '--all')
        for (const oid of reached.split('\n')) if (oid !== '') assert.ok(here.has(oid), `${oid} is lost`)
      }
      // And in the end what is not needed does go.
      for (const afterS of [0, GRACE_S + 1]) {
        nowS += afterS
        vi.setSystemTime(nowS * 1_000)
        await site.prune()
        await site.prune()
      }
      const reached = git('rev-list', '--objects', '--no-object-names', '--all').split('\n').filter(Boolean)
      assert.deepEqual([...stored()].sort(), reached.sort())
    } finally {
      vi.useRealTimers()
    }
  },
)

interface Change {
  readonly parents: readonly number[]
  readonly files: readonly number[]
  readonly tagged: boolean
}

function makeChange(
  { parents, files, tagged }: Change,
  made: readonly { readonly oid: string; readonly closure: ReadonlySet<string> }[],
  present: ReadonlySet<string>,
): { objects: MadeObject[]; tip: { oid: string; closure: Set<string> } } {
  const blobs = [...new Set(files)].map((file) => blob(`file ${file}\n`))
  const top = tree(...blobs.map(({ oid }, at) => ['100644', `f${at}`, oid] as const))
  // Of what is there: a push may lean on what nothing reaches any more.
  const there = made.filter(({ oid }) => present.has(oid) && isCommit.has(oid))
  const chosen = [...new Set(parents.flatMap((back) => there.at(-1 - back) ?? []))]
  const top1 = commit(
    top.oid,
    chosen.map(({ oid }) => oid),
    `${files.join()}\n`,
  )
  isCommit.add(top1.oid)
  const objects = [...blobs, top, top1]
  if (tagged) objects.push(tag(top1.oid, 'commit'))
  const closure = new Set([...objects.map(({ oid }) => oid), ...chosen.flatMap((one) => [...one.closure])])
  return { objects, tip: { oid: objects.at(-1)?.oid ?? '', closure } }
}

const isCommit = new Set<string>()
