/** A run that pushed nothing, read nothing or injected nothing proves nothing. */
import { type History, NODES } from '../history.ts'
import type { Finding } from './finding.ts'

const PUSHES_MIN = 20
const CLONES_MIN = 3

export function checkWork(history: History, repositories: readonly string[], faultsPlanned: number): Finding[] {
  const findings: Finding[] = []
  const complain = (text: string, atMs?: number): void => void findings.push({ promise: 'work', atMs, text })
  const acknowledged = history.pushes.filter(({ outcome }) => outcome === 'acknowledged').length
  if (acknowledged < PUSHES_MIN) complain(`Only ${acknowledged} pushes were acknowledged`)
  const whole = history.clones.filter(({ problem }) => problem === undefined).length
  if (whole < CLONES_MIN) complain(`Only ${whole} clones succeeded`)
  const injected = history.faults.length
  if (injected < faultsPlanned) complain(`Only ${injected} of ${faultsPlanned} faults were injected`)
  for (const node of NODES) {
    for (const repository of repositories) {
      const reads = history.reads.filter((read) => read.node === node && read.repository === repository)
      if (reads.length === 0) complain(`${repository} was never read at ${node}`)
    }
  }
  for (const { node, message, atMs } of history.complaints) complain(`${node} logged an error: ${message}`, atMs)
  return findings
}
