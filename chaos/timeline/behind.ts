/** How many pushes a mirror lists fewer than its home has taken, over time: what the timeline draws. */
import { linesOf } from '../checkers/ref-lines.ts'
import { snapshotOf } from '../checkers/snapshots.ts'
import type { History, MirrorName } from '../history.ts'

export interface Point {
  readonly atMs: number
  readonly value: number
}

/** Of all repositories together; one point for each time that it changes. */
export function pushesBehind(history: History, repositories: readonly string[], mirror: MirrorName): Point[] {
  const moments: {
    readonly atMs: number
    readonly repository: string
    readonly home?: number
    readonly here?: number
  }[] = []
  for (const repository of repositories) {
    const all = linesOf(history, repository)
    for (const line of all.lines) {
      for (const push of line.pushes) moments.push({ atMs: push.endedMs, repository, home: 1 })
    }
    for (const read of history.reads) {
      // What a clone had in the end was so at some time before.
      if (read.by === 'clone' || read.node !== mirror || read.repository !== repository) continue
      const snapshot = snapshotOf(read, all)
      if (typeof snapshot === 'string') continue
      const here = snapshot.positions.reduce((sum, position) => sum + position, 0)
      moments.push({ atMs: read.endedMs, repository, here })
    }
  }
  const taken = new Map<string, number>()
  const listed = new Map<string, number>()
  const points: Point[] = [{ atMs: 0, value: 0 }]
  for (const { atMs, repository, home, here } of moments.toSorted((a, b) => a.atMs - b.atMs)) {
    if (home !== undefined) taken.set(repository, (taken.get(repository) ?? 0) + home)
    if (here !== undefined) listed.set(repository, here)
    // A push may be listed before its pusher has read that it was taken.
    const value = repositories.reduce((sum, of) => sum + Math.max(0, (taken.get(of) ?? 0) - (listed.get(of) ?? 0)), 0)
    if (value !== points.at(-1)?.value) points.push({ atMs, value })
  }
  return [...points, { atMs: history.endedMs, value: points.at(-1)?.value ?? 0 }]
}
