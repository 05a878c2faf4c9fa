/** I1 and I3 as clients see them: refs of the home behave as one register each, and nothing acknowledged is lost. */
import type { History } from '../history.ts'
import type { Finding } from './finding.ts'
import { clockOf, type Line, linesOf, short } from './ref-lines.ts'
import { snapshotOf } from './snapshots.ts'

export function checkHomeReads(history: History, repository: string): Finding[] {
  const all = linesOf(history, repository)
  const findings = [...all.findings]
  for (const line of all.lines) findings.push(...checkOrder(line, repository))
  const highest = all.lines.map(() => 0)
  // By their end: who reads after another read has ended sees at least what that one saw.
  const reads = history.reads.filter((read) => read.repository === repository && read.node === 'home')
  const ended = reads.toSorted((a, b) => a.endedMs - b.endedMs)
  let at = 0
  for (const read of reads.toSorted((a, b) => a.beganMs - b.beganMs)) {
    for (let past = ended[at]; past !== undefined && past.endedMs < read.beganMs; past = ended[++at]) {
      const seen = snapshotOf(past, all)
      if (typeof seen === 'string') continue
      for (const [index, position] of seen.positions.entries()) {
        highest[index] = Math.max(highest[index] ?? 0, position)
      }
    }
    const snapshot = snapshotOf(read, all)
    if (typeof snapshot === 'string') {
      findings.push({ promise: 'I3', atMs: read.endedMs, text: `home, ${repository}: a read ${snapshot}` })
      continue
    }
    for (const [index, line] of all.lines.entries()) {
      const position = snapshot.positions[index] ?? 0
      const text = checkPosition(line, position, highest[index] ?? 0, read)
      if (text !== undefined) findings.push({ ...text, atMs: read.endedMs })
    }
  }
  return findings

  function checkPosition(
    line: Line,
    position: number,
    seenBefore: number,
    read: { readonly beganMs: number; readonly endedMs: number },
  ): Omit<Finding, 'atMs'> | undefined {
    const shown = short(line.states[position]?.[line.clock])
    const lost = line.pushes.slice(position).find((push) => isAcknowledgedBefore(push, read.beganMs))
    if (lost !== undefined) {
      const text = `home, ${repository}: ${short(clockOf(lost).to)} of ${line.clock} was acknowledged at ${Math.round(lost.endedMs)} ms, and a read shows ${shown}`
      return { promise: 'I1', text }
    }
    if (position < seenBefore) {
      return { promise: 'I3', text: `home, ${repository}: ${line.clock} went back to ${shown}` }
    }
    const push = line.pushes[position - 1]
    if (push !== undefined && push.beganMs > read.endedMs) {
      return { promise: 'I3', text: `home, ${repository}: ${line.clock} was ${shown} before anybody pushed that` }
    }
    return undefined
  }
}

function isAcknowledgedBefore(push: Line['pushes'][number], atMs: number): boolean {
  return push.outcome === 'acknowledged' && push.endedMs < atMs
}

/** A push that was acknowledged before another one began stands before it. */
function checkOrder(line: Line, repository: string): Finding[] {
  const findings: Finding[] = []
  let latestBeganMs = Number.NEGATIVE_INFINITY
  for (const push of line.pushes) {
    if (push.outcome === 'acknowledged' && push.endedMs < latestBeganMs) {
      const text = `${repository} ${line.clock}: ${short(clockOf(push).to)} was acknowledged before a push began that it comes after`
      findings.push({ promise: 'I3', atMs: push.endedMs, text })
    }
    latestBeganMs = Math.max(latestBeganMs, push.beganMs)
  }
  return findings
}
