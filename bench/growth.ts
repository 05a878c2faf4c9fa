/** How costs grow with what is stored: for each object the same, for each ref the same. */
import { globSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../integration/support/git.ts'
import type { BenchContext } from './context.ts'
import { GutsBench } from './hosts.ts'
import { median, timeOf } from './measure.ts'
import { timeOfPush } from './pushes.ts'
import { RawClient } from './raw-client.ts'
import { makeRefs, pushRefs } from './refs.ts'
import { constantRow, costRow, linearRow } from './growth-rows.ts'
import type { Row } from './row.ts'
import { packOfMain } from './sources.ts'

/**
 * Of an object there are about five a commit. All have the same few paths, so that folders are alike in all. The largest
 * first: a node that has just begun has compiled little, which would be in the time of the smallest alone.
 */
const SIZES = [
  { commits: 100_000, rounds: 3 },
  { commits: 32_000, rounds: 5 },
  { commits: 10_000, rounds: 9 },
  { commits: 2_000, rounds: 15 },
] as const
const SHAPE = { filesPerCommit: 1, fileBytes: 900, mergeEvery: 20, tagEvery: 100, paths: { folders: 4, files: 12 } }
const REFS = [1_000, 10_000, 50_000] as const
const LISTINGS = 15

type Point = readonly [x: number, y: number]

export async function growthRows(context: BenchContext): Promise<Row[]> {
  // A node of its own: what others left in it would be part of what is measured. Git need not look at it in the end.
  await using guts = await GutsBench.start({ damaged: true })
  const pushes: Point[] = []
  const walked: Point[] = []
  const selected: Point[] = []
  for (const { commits, rounds } of SIZES) {
    const { path } = await context.sources.of(`growth-${commits}`, { ...SHAPE, commits })
    const { pack, oid, objects } = await packOfMain(path)
    const times: number[] = []
    for (let round = 0; round < rounds; round++) times.push(await timeOfPush(guts, `growth-${round}`, oid, pack))
    pushes.unshift([objects, median(times)])
    const clones = await timesOfClones(guts, path, { oid, pack, rounds })
    selected.unshift([objects, clones.byBitmap])
    walked.unshift([objects, clones.byWalk])
  }
  return [
    constantRow('push', pushes),
    constantRow('clone that is walked and built', walked),
    // What is copied in one piece costs less than the request that it answers: of few objects that is most of the time.
    costRow('clone that is selected by bitmap', selected),
    linearRow('listing of refs after a change', await listingTimes(context, guts)),
  ]
}

/** Of all but the newest commits: no stored pack is just that, and none was asked for before. @returns milliseconds */
async function timesOfClones(
  guts: GutsBench,
  source: string,
  { oid, pack, rounds }: { oid: string; pack: Buffer; rounds: number },
): Promise<{ byBitmap: number; byWalk: number }> {
  const client = new RawClient(await guts.create('grown'))
  await client.push('refs/heads/main', oid, pack)
  await guts.settle('grown')
  const newest = await new Git(source).run('rev-list', '--first-parent', `--max-count=${2 * rounds + 1}`, 'main')
  const commits = newest.split('\n').slice(1)
  const medianOf = async (wants: readonly string[]): Promise<number> => {
    const times: number[] = []
    for (const want of wants) times.push(await timeOf(() => client.fetch([`want ${want}`])))
    return median(times)
  }
  const byBitmap = await medianOf(commits.slice(0, rounds))
  // As it is between a push and its maintenance.
  const objects = join(guts.host.gitDirectory('grown'), 'objects')
  for (const help of globSync(['pack/*.bitmap', 'info/commit-graph'], { cwd: objects })) rmSync(join(objects, help))
  const byWalk = await medianOf(commits.slice(rounds))
  client.close()
  await guts.remove('grown')
  return { byBitmap, byWalk }
}

/** Each time another ref is new, so that the listing has to be made again. */
async function listingTimes(context: BenchContext, guts: GutsBench): Promise<Point[]> {
  const points: Point[] = []
  const folder = join(context.folder, 'growth')
  mkdirSync(folder)
  for (const refs of REFS) {
    const source = await makeRefs(folder, refs)
    const client = new RawClient(await pushRefs(guts, source))
    const { pack, oid } = await packOfMain(source.path)
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
