/** Earlier runs of the bench on this machine, one a line, so that a change can be seen as one. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { marginOf, type Row } from '../row.ts'

export interface Run {
  /** ISO 8601, UTC */
  readonly at: string
  readonly commit: string
  readonly seed: number
  /** For each rate. */
  readonly seconds: number
  /** Of each row with a goal, by what it says. */
  readonly rows: Readonly<Record<string, RunRow>>
}

export interface RunRow {
  readonly part: string
  readonly value: number
  /** See `marginOf`. */
  readonly margin: number
}

export function toRun(of: Omit<Run, 'rows'>, parts: ReadonlyMap<string, readonly Row[]>): Run {
  const rows = [...parts].flatMap(([part, found]) =>
    found.flatMap((row) => {
      const margin = marginOf(row)
      return margin === undefined ? [] : [[row.what, { part, value: row.value.number, margin }] as const]
    }),
  )
  return { ...of, rows: Object.fromEntries(rows) }
}

export function appendRun(file: string, run: Run): void {
  appendFileSync(file, `${JSON.stringify(run)}\n`)
}

/** Oldest first. A line that was broken off, as by a full disk, is passed over. */
export function readRuns(file: string): Run[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').split('\n').flatMap(parseRun)
}

function parseRun(line: string): Run[] {
  try {
    return [JSON.parse(line) as Run]
  } catch {
    return []
  }
}
