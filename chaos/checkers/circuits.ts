/** The breakers between nodes open while a peer cannot be reached, and close when it can be again. */
import type { CircuitChange, History, MirrorName, NodeName } from '../history.ts'
import { isKillOf } from './away.ts'
import type { Finding } from './finding.ts'

/** @param mustOpen mirrors whose circuit to the home has to open and close */
export function checkCircuits(history: History, mustOpen: readonly MirrorName[]): Finding[] {
  const findings: Finding[] = []
  const complain = (text: string, atMs?: number): void => void findings.push({ promise: 'circuits', atMs, text })
  for (const node of mustOpen) {
    const own = history.circuits.filter((change) => change.node === node && change.peer === 'home')
    if (!own.some(({ to }) => to === 'open')) complain(`${node} never opened its circuit to the home`)
    else if (!own.some(({ to }) => to === 'closed')) complain(`${node} never closed its circuit to the home again`)
  }
  if (history.healedMs === undefined) return findings
  for (const { node, peer, to, atMs } of lastChanges(history)) {
    if (to !== 'closed') complain(`In the end the circuit of ${node} to ${peer} is ${to.replace('_', ' ')}`, atMs)
  }
  return findings
}

/** Of each circuit, since its node was started last: a new process begins with closed ones. */
function lastChanges({ circuits, faults }: History): CircuitChange[] {
  const last = new Map<string, CircuitChange>()
  for (const change of circuits) last.set(`${change.node} ${change.peer}`, change)
  const startedAtMs = (node: NodeName): number =>
    Math.max(0, ...faults.map((fault) => (isKillOf(fault, node) ? (fault.endedMs ?? 0) : 0)))
  return [...last.values()].filter(({ node, atMs }) => atMs >= startedAtMs(node))
}
