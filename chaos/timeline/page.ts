/** The page of one run: what was at stake, how it ended, and everything that happened on one axis of time. */
import { PROMISES, type Promised } from '../checkers/finding.ts'
import { describeFault, type History } from '../history.ts'
import type { RunResult } from '../run-scenario.ts'
import { chart, type Marker } from './chart.ts'
import { escape, inSeconds } from './html.ts'
import { lanesOf } from './lanes.ts'
import { STYLE } from './style.ts'

/** Judged of a run that was interrupted, too. */
const OF_MOMENTS: readonly Promised[] = ['I1', 'I2', 'I3', 'I5']

export function timelinePage(run: RunResult, again: string): string {
  const { scenario, history, repositories, findings } = run
  const markers: Marker[] = findings.flatMap(({ promise, atMs, text }) =>
    atMs === undefined ? [] : [{ atMs, label: `${promise}: ${text}`, tone: 'finding' as const }],
  )
  if (history.healedMs !== undefined) {
    markers.push({ atMs: history.healedMs, label: 'Everything is healed, nobody pushes any more', tone: 'healed' })
  }
  const outcome = outcomeOf(run)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(scenario.name)}: ${outcome}</title>
<style>${STYLE}</style>
<h1>${escape(scenario.name)} <span class="verdict ${outcome}">${outcome}</span></h1>
<p class="why">${escape(scenario.why)}</p>
${facts(run, again)}
<h2>Promises</h2>
${promises(run)}
<h2>Timeline</h2>
<p class="legend"><span><i class="fault"></i>fault</span><span><i class="good"></i>acknowledged, closed, whole</span>
<span><i class="middling"></i>refused, half open</span><span><i class="bad"></i>in doubt, open, broken</span>
<span>dashed: healed, and nobody pushes any more</span></p>
<div class="scroll">${chart(lanesOf(history, repositories), markers, history.endedMs)}</div>
<h2>In words</h2>
<table>${events(run)
    .map(({ atMs, text, isFinding }) => {
      return `<tr${isFinding ? ' class="finding"' : ''}><td class="time">${inSeconds(atMs)} s</td><td>${escape(text)}</td></tr>`
    })
    .join('\n')}</table>
</html>
`
}

export function outcomeOf({ interrupted, findings }: RunResult): 'interrupted' | 'passed' | 'failed' {
  if (findings.length > 0) return 'failed'
  return interrupted ? 'interrupted' : 'passed'
}

/** What a run has seen, in a line. */
export function figures({ history }: RunResult): string {
  const pushes = (outcome: string): number => history.pushes.filter((push) => push.outcome === outcome).length
  return (
    `${pushes('acknowledged')} pushes acknowledged, ${pushes('refused')} refused, ${pushes('unknown')} in doubt; ` +
    `${history.reads.length} reads, ${history.clones.length} clones, ${history.faults.length} faults`
  )
}

function facts(run: RunResult, again: string): string {
  const rows = [
    ['Seed', String(run.seed)],
    ['Again', `<code>${escape(again)}</code>`],
    ['Seen', escape(figures(run))],
    ...run.convergence.map(({ mirror, repository, afterMs }) => [
      `${mirror}, ${repository}`,
      afterMs === undefined ? 'did not list what the home lists' : `as its home ${inSeconds(afterMs)} s after healing`,
    ]),
  ]
  return `<dl>${rows.map(([name = '', value = '']) => `<dt>${escape(name)}</dt><dd>${value}</dd>`).join('')}</dl>`
}

function promises({ findings, interrupted }: RunResult): string {
  const rows = (Object.keys(PROMISES) as Promised[]).map((promise) => {
    const broken = findings.filter((finding) => finding.promise === promise)
    const isOfMoments = OF_MOMENTS.includes(promise)
    const kept = !interrupted ? 'kept' : isOfMoments ? 'kept until then' : 'not judged'
    const told = broken.length === 0 ? kept : broken.map(({ text }) => escape(text)).join('<br>')
    const name = /^I\d+$/.test(promise) ? promise : ''
    return `<tr${broken.length > 0 ? ' class="finding"' : ''}><td>${name}</td><td>${PROMISES[promise]}</td><td>${told}</td></tr>`
  })
  return `<table>${rows.join('\n')}</table>`
}

interface Told {
  readonly atMs: number
  readonly text: string
  readonly isFinding: boolean
}

function events({ history, findings }: RunResult): Told[] {
  const plain = (atMs: number, text: string): Told => ({ atMs, text, isFinding: false })
  const all: Told[] = [
    ...faultEvents(history, plain),
    ...history.circuits.map(({ node, peer, to, atMs, why }) => {
      return plain(atMs, `${node}: its circuit to ${peer} is ${to.replace('_', ' ')}${why === '' ? '' : `: ${why}`}`)
    }),
    ...history.complaints.map(({ node, message, atMs }) => plain(atMs, `${node} logs an error: ${message}`)),
    ...history.pushes
      .filter((push) => push.outcome !== 'acknowledged')
      .map(({ pusher, repository, outcome, endedMs }) =>
        plain(endedMs, `${pusher}: a push to ${repository} ${outcome === 'refused' ? 'is refused' : 'ends in doubt'}`),
      ),
    ...findings.map(({ promise, text, atMs = history.endedMs }) => {
      return { atMs, text: `${promise} is broken: ${text}`, isFinding: true }
    }),
  ]
  if (history.healedMs !== undefined) all.push(plain(history.healedMs, 'Everything is healed, nobody pushes any more'))
  return all.sort((a, b) => a.atMs - b.atMs)
}

function faultEvents({ faults }: History, plain: (atMs: number, text: string) => Told): Told[] {
  return faults.flatMap((fault) => {
    const { action, beganMs, endedMs } = fault
    const what = describeFault(fault)
    const end = action.kind === 'kill' ? `${action.node} runs again` : `Over: ${what}`
    return [plain(beganMs, what), ...(endedMs === undefined ? [] : [plain(endedMs, end)])]
  })
}
