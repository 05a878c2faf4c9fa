/** What a run of the bench leaves: a table, `summary.json`, a line of the history, and the curves. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Table from 'cli-table3'
import { closeSuite, commitHere, reportFolder } from '../../harness/suite.ts'
import { digits, goalText, isMet, type Row } from '../row.ts'
import { growthPanels, historyPanels } from './panels.ts'
import { appendRun, readRuns, toRun } from './run-history.ts'
import { drawPanels } from './svg.ts'

const SUITE = 'bench'

export interface BenchRun {
  readonly seed: number
  readonly seconds: number
  /** By `performance.now()`. */
  readonly startedAtMs: number
  /** Rows by the part that measured them. */
  readonly parts: ReadonlyMap<string, readonly Row[]>
}

/** @returns the exit code: 1 where a goal is not met */
export function closeBench({ seed, seconds, startedAtMs, parts }: BenchRun): number {
  const rows = [...parts.values()].flat()
  console.log(tableOf(rows))
  const folder = reportFolder(SUITE)
  const history = join(folder, 'history.jsonl')
  appendRun(history, toRun({ at: new Date().toISOString(), commit: commitHere(), seed, seconds }, parts))
  const drawing = join(folder, 'curves.svg')
  writeFileSync(drawing, drawPanels([...growthPanels(rows), ...historyPanels(readRuns(history))]))
  console.log(`curves: ${drawing}`)
  const judged = rows.filter(({ goal }) => goal !== undefined)
  const passed = judged.filter(isMet).length
  const counts = { executed: judged.length, passed, failed: judged.length - passed, skipped: 0 }
  const duration_s = Math.round((performance.now() - startedAtMs) / 1_000)
  const shown = [...parts].flatMap(([part, found]) => found.map((row) => ({ part, ...row, met: isMet(row) })))
  return closeSuite({ suite: SUITE, seed, ...counts, duration_s }, { seconds, rows: shown })
}

function tableOf(rows: readonly Row[]): string {
  const table = new Table({ head: ['', 'guts', 'anchor', 'measured', 'goal', ''], style: { head: [], border: [] } })
  for (const row of rows) {
    const { what, guts, anchor, value, goal } = row
    const verdict = goal === undefined ? '' : isMet(row) ? 'met' : 'MISSED'
    table.push([what, guts, anchor, `${digits(value.number)} ${value.unit}`, goalText(goal), verdict])
  }
  return table.toString()
}
