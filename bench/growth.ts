/** How costs grow with what is stored: for each object the same, for each ref the same. */
import { globSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../integration/support/git.ts'
import type { BenchContext } from './context.ts'
import { GutsBench } from './hosts.ts'
import { median, timeOf } from './measure.ts'
import { RawClient } from './raw-client.ts'
import { makeRefs, pushRefs } from './refs.ts'
import { constantRow, costRow, linearRow } from './growth-rows.ts'
import type { Row } from './row.ts'
import { packOf, type Source } from './sources.ts'

/**
 * Of an object there are about five a commit. All have the same few paths, so that folders are alike in all. The largest
 * first: a node that has just begun has compiled little, which would be in the time of the smallest alone.
 */
const SIZES = [
  { commits: 100_000, rounds: 3 },
  { commits: 32_000, rounds: 3 },
  { commits: 10_000, rounds: 5 },
  { commits: 2_000, rounds: 9 },
] as const
const SHAPE = { filesPerCommit: 1, fileBytes: 900, mergeEvery: 20, tagEvery: 100, paths: { folders: 4, files: 12 } }
const REFS = [1_000, 10_000, 50_000] as const
const LISTINGS = 15

/** Of the repository that is read so that others are forgotten; one of SIZES, so that it is made once. */
const FORGOTTEN_COMMITS = SIZES[1].commits

type Point = readonly [x: number, y: number]

export async function growthRows(context: BenchContext): Promise<Row[]> {
  // A node of its own: what others left in it would be part of what is measured. Git need not look at it in the end.
  await using guts = await GutsBench.start({ damaged: true })
  const forget = await forgetter(context, guts)
  const points: Record<keyof Times, Point[]> = { push: [], byBitmap: [], byWalk: [] }
  for (const { commits, rounds } of SIZES) {
    const { path, objects } = await sourceOf(context, commits)
    const times: Times[] = []
    for (let round = 0; round < rounds; round++) times.push(await timesOf(guts, path, round, forget))
    for (const [what, of] of Object.entries(points) as [keyof Times, Point[]][]) {
      of.unshift([objects, median(times.map((each) => each[what]))])
    }
  }
  return [
    constantRow('push', points.push),
    constantRow('clone that is walked and built', points.byWalk),
    // What is copied in one piece costs less than the request that it answers: of few objects that is most of the time.
    costRow('clone that is selected by bitmap', points.byBitmap),
    linearRow('listing of refs after a change', await listingTimes(context, guts)),
  ]
}

/** In milliseconds. */
interface Times {
  readonly push: number
  readonly byBitmap: number
  readonly byWalk: number
}

/** Of a repository that nobody has read from, with another pack each time. @param forget see `forgetter` */
async function timesOf(guts: GutsBench, source: string, round: number, forget: () => Promise<void>): Promise<Times> {
  const { pack, oid } = await packOf(source, `main~${round}`)
  const [, ...older] = await firstParents(source, oid, 3)
  const client = new RawClient(await guts.create('growth'))
  const push = await timeOf(() => client.push('refs/heads/main', oid, pack))
  await guts.settle('growth')
  await forget()
  const byBitmap = await timeOf(() => client.fetch([`want ${older[0]}`]))
  removeHelps(guts, 'growth')
  await forget()
  const byWalk = await timeOf(() => client.fetch([`want ${older[1]}`]))
  client.close()
  await guts.remove('growth')
  return { push, byBitmap, byWalk }
}

/**
 * A worker remembers what was read lately: all of a small repository, for which maintenance has read it, and of a large one
 * next to nothing. So that the same is known of each, which is nothing, much else is read before.
 */
async function forgetter(context: BenchContext, guts: GutsBench): Promise<() => Promise<void>> {
  const { path } = await sourceOf(context, FORGOTTEN_COMMITS)
  const { pack, oid } = await packOf(path)
  const client = new RawClient(await guts.create('other'))
  await client.push('refs/heads/main', oid, pack)
  await guts.settle('other')
  removeHelps(guts, 'other')
  const wants = (await firstParents(path, oid, 100)).values()
  return async () => {
    const { value, done } = wants.next()
    if (done === true) throw new Error('There are more rounds than commits to ask for')
    await client.fetch([`want ${value}`])
  }
}

const sourceOf = ({ sources }: BenchContext, commits: number): Promise<Source> =>
  sources.of(`growth-${commits}`, { ...SHAPE, commits })

/** As it is between a push and its maintenance. */
function removeHelps(guts: GutsBench, name: string): void {
  const objects = join(guts.host.gitDirectory(name), 'objects')
  for (const help of globSync(['pack/*.bitmap', 'info/commit-graph'], { cwd: objects })) rmSync(join(objects, help))
}

/** Newest first. */
async function firstParents(source: string, oid: string, count: number): Promise<string[]> {
  return (await new Git(source).run('rev-list', '--first-parent', `--max-count=${count}`, oid)).split('\n')
}

/** Each time another ref is new, so that the listing has to be made again. */
async function listingTimes(context: BenchContext, guts: GutsBench): Promise<Point[]> {
  const points: Point[] = []
  const folder = join(context.folder, 'growth')
  mkdirSync(folder)
  for (const refs of REFS) {
    const source = await makeRefs(folder, refs)
    const client = new RawClient(await pushRefs(guts, source))
    const { pack, oid } = await packOf(source.path)
    const times: number[] = []
    for (let at = 0; at < LISTINGS; at++) {
      await client.push(`refs/heads/new-${at}`, oid, pack)
      times.push(await timeOf(() => client.takeRefs()))
    }
    client.close()
    points.push([refs, median(times)])
  }
  return points
}
