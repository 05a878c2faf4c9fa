/** The page of a run: what each target did, and how much of each decoder its inputs reach. It needs nothing but itself. */
import type { SuiteCase } from '../../harness/suite.ts'
import { escape } from '../../chaos/timeline/html.ts'
import { STYLE } from '../../chaos/timeline/style.ts'
import { type FileCoverage, percentOf } from '../reach/cover.ts'
import { GAPS } from '../reach/gaps.ts'
import { PERCENT_MIN } from '../reach/judge.ts'
import { formatNumber } from '../progress.ts'

/** Of a target that was fuzzed, or only replayed. */
export interface TargetFigures {
  readonly target: string
  readonly inputs: number
  readonly executions?: number
  readonly executionsPerS?: number
  readonly goalPerS?: number
}

export interface PageContent {
  readonly title: string
  readonly again: string
  readonly commit: string
  readonly cases: readonly SuiteCase[]
  readonly figures: readonly TargetFigures[]
  /** undefined: it was not counted, as not all inputs pass, or not all were tried. */
  readonly coverage: readonly FileCoverage[] | undefined
  /** Whose inputs were counted. */
  readonly coveredBy: string
}

const BARS = `
.bar { background: var(--lane); width: 12rem; height: .8rem; display: inline-block; vertical-align: -1px; border-radius: 2px; }
.bar i { display: block; height: 100%; border-radius: 2px; background: var(--good); } .bar.low i { background: var(--middling); }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } pre { white-space: pre-wrap; margin: 0; }
`

export function fuzzPage({ title, again, commit, cases, figures, coverage, coveredBy }: PageContent): string {
  const outcome = cases.some((one) => one.outcome === 'failed')
    ? 'failed'
    : cases.some((one) => one.outcome === 'skipped')
      ? 'interrupted'
      : 'passed'
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}: ${outcome}</title>
<style>${STYLE}${BARS}</style>
<h1>${escape(title)} <span class="verdict ${outcome}">${outcome}</span></h1>
<dl><dt>Again</dt><dd><code>${escape(again)}</code></dd><dt>Commit</dt><dd><code>${escape(commit)}</code></dd></dl>
<h2>Targets</h2>
<div class="scroll"><table><tr><th>target</th><th>outcome</th><th>inputs</th><th>executions</th><th>a second (goal)</th></tr>
${cases.map((one) => caseRow(one, figures)).join('\n')}
</table></div>
<h2>Decoders</h2>
${coverage === undefined ? '<p class="why">Not counted: not all inputs were tried, or some fail.</p>' : decoders(coverage, coveredBy)}
</html>
`
}

function caseRow({ name, outcome, message }: SuiteCase, figures: readonly TargetFigures[]): string {
  const { inputs, executions, executionsPerS, goalPerS } = figures.find(({ target }) => target === name) ?? {}
  const speed = executionsPerS === undefined ? '' : `${formatNumber(executionsPerS)} (${formatNumber(goalPerS ?? 0)})`
  const cells = [inputs, executions].map((count) => (count === undefined ? '' : formatNumber(count)))
  const numbers = [...cells, speed].map((cell) => `<td class="number">${cell}</td>`).join('')
  const row = `<tr${outcome === 'failed' ? ' class="finding"' : ''}><td>${escape(name)}</td><td>${outcome}</td>${numbers}</tr>`
  if (message === undefined) return row
  return `${row}\n<tr><td></td><td colspan="4"><pre>${escape(message)}</pre></td></tr>`
}

function decoders(coverage: readonly FileCoverage[], coveredBy: string): string {
  const files = coverage.filter(({ branches }) => branches > 0)
  const taken = files.reduce((sum, one) => sum + one.taken, 0)
  const branches = files.reduce((sum, one) => sum + one.branches, 0)
  return `<p class="why">${formatNumber(taken)} of ${formatNumber(branches)} branches, by ${escape(coveredBy)}; what is missing has
its reason in <code>fuzz/reach/gaps.ts</code>.</p>
<div class="scroll"><table><tr><th>file</th><th></th><th>taken</th><th>branches</th><th>missing</th></tr>
${files.map(decoderRow).join('\n')}
</table></div>`
}

function decoderRow(one: FileCoverage): string {
  const percent = percentOf(one)
  const low = percent < PERCENT_MIN ? ' low' : ''
  const missing = one.missing.map(({ line, name }) => {
    const why = GAPS[one.file]?.[name] ?? 'not listed'
    return `line ${line}, <code>${escape(name)}</code>: ${escape(why)}`
  })
  const bar = `<span class="bar${low}"><i style="width: ${percent}%"></i></span> ${percent} %`
  const counts = [one.taken, one.branches].map((count) => `<td class="number">${count}</td>`).join('')
  return `<tr><td>${escape(one.file)}</td><td>${bar}</td>${counts}<td>${missing.join('<br>')}</td></tr>`
}
