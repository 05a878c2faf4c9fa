/** The gate's report: for machines JSON and JUnit, for people one page. No verdict is written by hand. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../integration/support/command-line.ts'
import { closeCases, commitHere, EXIT, reportFolder, type SuiteCase } from '../harness/suite.ts'
import { CHECKS, type CheckId } from './checks.ts'
import type { Criterion } from './criteria.ts'
import { type Evidence, exitCodeOf, messagesOf } from './evidence.ts'

export interface Verdict {
  readonly id: string
  readonly title: string
  readonly outcome: 'proved' | 'failed' | 'not shown'
  readonly evidence: readonly Evidence[]
}

/** A criterion is proved by checks that all executed something and all passed. */
export function judge(criteria: readonly Criterion[], evidence: readonly Evidence[]): Verdict[] {
  const byId = new Map(evidence.map((one) => [one.id, one]))
  const verdicts = criteria.map(({ id, title, checks }): Verdict => {
    const found = checks.flatMap((check) => byId.get(check) ?? [])
    const failed = found.some((one) => one.outcome === 'failed')
    const complete = found.length === checks.length && found.every((one) => one.outcome === 'passed')
    return { id, title, outcome: failed ? 'failed' : complete ? 'proved' : 'not shown', evidence: found }
  })
  const owned = new Set<string>(criteria.flatMap(({ checks }) => checks))
  // Whatever fails decides, also where nobody has said what for.
  const stray = evidence.filter((one) => one.outcome === 'failed' && !owned.has(one.id))
  return [...verdicts, ...stray.map((one): Verdict => strayVerdict(one))]
}

function strayVerdict(evidence: Evidence): Verdict {
  return { id: '–', title: `${evidence.id}, of no criterion`, outcome: 'failed', evidence: [evidence] }
}

export interface GateRun {
  /** What was to be shown. */
  readonly criteria: readonly Criterion[]
  readonly seed: number
  readonly startedAtMs: number
  readonly evidence: readonly Evidence[]
}

/** @returns the exit code */
export function closeGate({ criteria, seed, startedAtMs, evidence }: GateRun): number {
  const verdicts = judge(criteria, evidence)
  const minutes = (performance.now() - startedAtMs) / 60_000
  writeFileSync(join(reportFolder('gate'), 'index.html'), page(verdicts, seed, minutes))
  const closed = closeCases({ suite: 'gate', seed, cases: verdicts.map(caseOf), startedAtMs, details: { verdicts } })
  const missing = evidence.filter(({ outcome }) => outcome === 'missing')
  for (const one of missing) console.error(`${one.id}: ${messagesOf(one).join('\n')}`)
  const failed = evidence.some(({ outcome }) => outcome === 'failed')
  const proved = verdicts.every(({ outcome }) => outcome === 'proved')
  return exitCodeOf({ failed, missing: missing.length > 0, otherwise: proved ? closed : EXIT.finding })
}

const CASE_OUTCOMES = { proved: 'passed', failed: 'failed', 'not shown': 'skipped' } as const

export function caseOf({ id, title, outcome, evidence }: Verdict): SuiteCase {
  return {
    name: `${id} ${title}`,
    outcome: CASE_OUTCOMES[outcome],
    duration_s: evidence.reduce((sum, one) => sum + one.duration_s, 0),
    message: evidence.flatMap((one) => messagesOf(one).map((message) => message.slice(0, 2_000))).join('\n'),
  }
}

function page(verdicts: readonly Verdict[], seed: number, minutes: number): string {
  const commit = commitHere()
  const changed = execFileSync('git', ['status', '--porcelain'], { cwd: ROOT, encoding: 'utf8' }).trim() !== ''
  const proved = verdicts.filter(({ outcome }) => outcome === 'proved').length
  const facts = [
    `commit <code>${commit}</code>${changed ? ' <strong>with changes that are not committed</strong>' : ''}`,
    `seed ${seed}`,
    `${minutes.toFixed(1)} minutes`,
  ]
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Release gate: ${proved} of ${verdicts.length}</title>
<meta name="viewport" content="width=device-width">
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1c }
  table { border-collapse: collapse; width: 100%; margin-bottom: 2rem }
  th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd }
  td.number { text-align: right; font-variant-numeric: tabular-nums }
  code { font-size: .85em; overflow-wrap: anywhere }
  pre { white-space: pre-wrap; background: #fbeaea; padding: .5rem; max-height: 20rem; overflow: auto; font-size: .8em }
  .proved, .passed { color: #176b2c } .failed { color: #a11 } .not-shown, .missing { color: #8a5a00 }
  h2 { margin-bottom: .3rem }
</style>
<h1>Release gate: ${proved} of ${verdicts.length} shown</h1>
<p>${facts.join(' · ')}</p>
${verdicts.map(section).join('\n')}
</html>
`
}

function section({ id, title, outcome, evidence }: Verdict): string {
  const rows = evidence.map((one) => {
    const what = one.id in CHECKS ? CHECKS[one.id as CheckId].what : one.id
    const said = messagesOf(one).join('\n\n').slice(0, 8_000)
    const why = said === '' ? '' : `<pre>${escapeHtml(said)}</pre>`
    return `<tr><td>${escapeHtml(what)}<br><code>${escapeHtml(one.command)}</code>${why}</td>
<td class="${one.outcome}">${one.outcome}</td><td class="number">${one.executed}</td><td class="number">${one.failed}</td>
<td class="number">${one.duration_s.toFixed(1)} s</td></tr>`
  })
  return `<h2>${id} ${escapeHtml(title)}: <span class="${outcome.replace(' ', '-')}">${outcome}</span></h2>
<table><tr><th>evidence</th><th></th><th>executed</th><th>failed</th><th>time</th></tr>${rows.join('\n')}</table>`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
