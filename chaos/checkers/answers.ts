/** Who was not killed lists what it has, whatever is wrong with its links and with others. */
import { type Clone, type Fault, type History, NODES, type Read } from '../history.ts'
import { overlap, wasAway } from './away.ts'
import type { Finding } from './finding.ts'

/** A fault that lasts so long is surely met by somebody who asks eight times a second. */
const READ_SURELY_MS = 3_000

export function checkAnswers(history: History, repositories: readonly string[]): Finding[] {
  const findings: Finding[] = []
  const complain = (text: string, atMs?: number): void => void findings.push({ promise: 'answers', atMs, text })
  for (const read of history.failedReads) {
    const { node, repository, kind, problem, endedMs } = read
    // Half a list is one that somebody might believe. To have too much to do, and to say so, is by design.
    const isExcused = kind === 'overload' || (kind === 'failed' && wasAway(node, read, history))
    if (!isExcused) complain(`${node}, ${repository}: a read failed: ${problem}`, endedMs)
  }
  for (const fault of history.faults.filter(isLong)) {
    for (const node of NODES) {
      const isRead = history.reads.some((read) => read.node === node && read.by === 'list' && overlap(read, fault))
      if (isRead || wasAway(node, fault, history)) continue
      complain(`${node} listed nothing from ${Math.round(fault.beganMs)} to ${fault.endedMs} ms`, fault.beganMs)
    }
  }
  const { healedMs } = history
  if (healedMs === undefined) return findings
  for (const node of NODES) {
    for (const repository of repositories) {
      const isOwn = (one: Read | Clone): boolean =>
        one.node === node && one.repository === repository && one.beganMs >= healedMs
      if (!history.reads.some((read) => read.by === 'list' && isOwn(read)))
        complain(`${node} did not list ${repository} after healing`)
      if (!history.clones.some(isOwn)) complain(`Nobody cloned ${repository} from ${node} after healing`)
    }
  }
  return findings
}

function isLong({ beganMs, endedMs }: Fault): boolean {
  return endedMs !== undefined && endedMs - beganMs >= READ_SURELY_MS
}
