/** A run that pushed nothing, read nothing or injected nothing, or nothing that could be noticed, proves nothing. */
import { describeAction, type History, NODES } from '../history.ts'
import { lostRace } from '../workload/pusher.ts'
import type { Finding } from './finding.ts'

const PUSHES_MIN = 20
const CLONES_MIN = 3
/** Of a run's kills: how soon a pack is taken is up to the machine. */
const KILLS_MET_MIN = 0.5

export function checkWork(history: History, repositories: readonly string[], faultsPlanned: number): Finding[] {
  const findings: Finding[] = []
  const complain = (text: string, atMs?: number): void => void findings.push({ promise: 'work', atMs, text })
  const acknowledged = history.pushes.filter(({ outcome }) => outcome === 'acknowledged').length
  if (acknowledged < PUSHES_MIN) complain(`Only ${acknowledged} pushes were acknowledged`)
  if (!history.pushes.some(lostRace)) complain('The home refused nobody who raced: nothing shows that two did')
  const whole = history.clones.filter(({ problem }) => problem === undefined).length
  if (whole < CLONES_MIN) complain(`Only ${whole} clones succeeded`)
  const injected = history.faults.length
  if (injected < faultsPlanned) complain(`Only ${injected} of ${faultsPlanned} faults were injected`)
  for (const text of withoutEffect(history)) complain(text)
  for (const node of NODES) {
    for (const repository of repositories) {
      const reads = history.reads.filter((read) => read.node === node && read.repository === repository)
      if (reads.length === 0) complain(`${repository} was never read at ${node}`)
    }
  }
  for (const { node, exitCode } of history.exits) {
    const how = exitCode === null ? 'had to be killed' : `ended with ${exitCode}`
    if (exitCode !== 0) complain(`${node} was told to stop, and ${how}`)
  }
  for (const { node, message, atMs } of history.complaints) complain(`${node} logged an error: ${message}`, atMs)
  return findings
}

/** Each fault of a link has to be seen from outside, and of the kills so many have to come when they were meant to. */
function withoutEffect({ faults }: History): string[] {
  const over = faults.filter(({ endedMs }) => endedMs !== undefined)
  const unseen = over.flatMap(({ action, beganMs, effect }) => {
    if (action.kind === 'kill' || effect !== undefined) return []
    return [`At ${Math.round(beganMs)} ms: ${describeAction(action)}, and nothing was seen of it`]
  })
  const kills = over.filter(({ action }) => action.kind === 'kill')
  const met = kills.filter(({ effect }) => effect !== undefined).length
  if (met >= kills.length * KILLS_MET_MIN) return unseen
  return [...unseen, `Only ${met} of ${kills.length} kills met what they were meant for`]
}
