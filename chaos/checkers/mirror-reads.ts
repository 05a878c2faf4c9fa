/**
 * I5 as clients see it: what a mirror lists of a repository is a state the home had, and never an earlier one than it
 * listed before. States of one history are comparable: of two, one shows everything the other shows.
 */
import { type History, MIRRORS } from '../history.ts'
import type { Finding } from './finding.ts'
import { type Line, linesOf, type RepositoryLines, short } from './ref-lines.ts'
import { type Snapshot, snapshotOf } from './snapshots.ts'

export function checkMirrorReads(history: History, repository: string): Finding[] {
  const all = linesOf(history, repository)
  const findings: Finding[] = []
  const snapshots: Snapshot[] = []
  for (const read of history.reads) {
    if (read.repository !== repository) continue
    const snapshot = snapshotOf(read, all)
    if (typeof snapshot !== 'string') snapshots.push(snapshot)
    // What the home itself lists is checked with the other promises of the home.
    else if (read.node !== 'home') findings.push(found(read.node, read.endedMs, `a read ${snapshot}`))
  }
  for (const snapshot of snapshots) {
    if (snapshot.read.node === 'home') continue
    const text = checkAgainstPushes(snapshot, all)
    if (text !== undefined) findings.push(found(snapshot.read.node, snapshot.read.endedMs, text))
  }
  return [...findings, ...checkComparable(snapshots, all.lines), ...checkForwards(snapshots, all.lines)]

  function found(node: string, atMs: number, text: string): Finding {
    return { promise: 'I5', atMs, text: `${node}, ${repository}: ${text}` }
  }

  function checkComparable(among: readonly Snapshot[], lines: readonly Line[]): Finding[] {
    const sum = ({ positions }: Snapshot): number => positions.reduce((total, position) => total + position, 0)
    const ordered = among.toSorted((a, b) => sum(a) - sum(b))
    return ordered.flatMap((later, index) => {
      const earlier = ordered[index - 1]
      const line = earlier && lines.find((_, at) => (earlier.positions[at] ?? 0) > (later.positions[at] ?? 0))
      if (earlier === undefined || line === undefined) return []
      // Both are judged: which of the two was never a state cannot be told. One of them is a mirror's, or it is none of ours.
      const mirror = [later, earlier].find(({ read }) => read.node !== 'home')
      if (mirror === undefined) return []
      const text = `what it lists and what ${earlier.read.node} listed at ${Math.round(earlier.read.endedMs)} ms cannot both have been so: ${line.clock} is ${short(later.read.refs[line.clock])} and ${short(earlier.read.refs[line.clock])}`
      return [found(mirror.read.node, mirror.read.endedMs, text)]
    })
  }

  function checkForwards(among: readonly Snapshot[], lines: readonly Line[]): Finding[] {
    return MIRRORS.flatMap((node) => {
      const own = among.filter(({ read }) => read.node === node)
      const ended = own.toSorted((a, b) => a.read.endedMs - b.read.endedMs)
      const highest = lines.map(() => 0)
      let at = 0
      return own
        .toSorted((a, b) => a.read.beganMs - b.read.beganMs)
        .flatMap(({ read, positions }) => {
          for (let past = ended[at]; past !== undefined && past.read.endedMs < read.beganMs; past = ended[++at]) {
            for (const [index, position] of past.positions.entries()) {
              highest[index] = Math.max(highest[index] ?? 0, position)
            }
          }
          const line = lines.find((_, index) => (positions[index] ?? 0) < (highest[index] ?? 0))
          if (line === undefined) return []
          return [found(node, read.endedMs, `${line.clock} went back to ${short(read.refs[line.clock])}`)]
        })
    })
  }
}

/** Not from the future; and who shows a push shows all that were acknowledged before that one began. */
function checkAgainstPushes({ read, positions }: Snapshot, { lines }: RepositoryLines): string | undefined {
  let latestBeganMs = Number.NEGATIVE_INFINITY
  for (const [index, line] of lines.entries()) {
    for (const push of line.pushes.slice(0, positions[index])) {
      if (push.beganMs > read.endedMs) return `${line.clock} was shown before anybody pushed that`
      latestBeganMs = Math.max(latestBeganMs, push.beganMs)
    }
  }
  for (const [index, line] of lines.entries()) {
    const left = line.pushes
      .slice(positions[index])
      .find((push) => push.outcome === 'acknowledged' && push.endedMs < latestBeganMs)
    if (left === undefined) continue
    return `it shows a push that began at ${Math.round(latestBeganMs)} ms, and not ${short(left.updates[0]?.to)} of ${line.clock}, acknowledged at ${Math.round(left.endedMs)} ms`
  }
  return undefined
}
