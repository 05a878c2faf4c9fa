/** What every command of the harness does alike: a seed, a report, a closing line, exit codes (DESIGN §4.1). */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from './command-line.ts'

export const EXIT = { fine: 0, finding: 1, wrongUse: 2, toolMissing: 3 } as const

export interface SuiteSummary {
  readonly suite: string
  readonly seed: number
  readonly executed: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly duration_s: number
}

/** Writes `reports/SUITE/summary.json` and prints the closing line. @returns the exit code */
export function closeSuite(summary: SuiteSummary, details: object): number {
  const folder = join(ROOT, 'reports', summary.suite)
  mkdirSync(folder, { recursive: true })
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  writeFileSync(join(folder, 'summary.json'), `${JSON.stringify({ ...summary, commit, ...details }, null, 2)}\n`)
  console.log(`${summary.passed} passed, ${summary.failed} failed`)
  // A run that executed nothing proves nothing.
  return summary.failed === 0 && summary.executed > 0 ? EXIT.fine : EXIT.finding
}

/**
 * Reads `--NAME N` for each name, and `--help`.
 *
 * @param ranges what is taken without it, and the least that makes sense
 * @returns the numbers, or the exit code where there is nothing to run
 */
export function readNumbers<Name extends string>(
  help: string,
  ranges: Readonly<Record<Name, { readonly otherwise: number; readonly min: number }>>,
): Readonly<Record<Name, number>> | (typeof EXIT)['fine' | 'wrongUse'] {
  const names = Object.keys(ranges) as Name[]
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  let values: Readonly<Record<string, string | boolean | undefined>>
  try {
    values = parseArgs({ options: { ...options, help: { type: 'boolean' } } }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    return EXIT.wrongUse
  }
  if (values['help'] === true) {
    console.log(help)
    return EXIT.fine
  }
  const numbers = {} as Record<Name, number>
  for (const name of names) {
    const { otherwise, min } = ranges[name]
    const text = String(values[name] ?? otherwise)
    numbers[name] = Number(text)
    if (/^[0-9]{1,10}$/.test(text) && numbers[name] >= min) continue
    console.error(`--${name} is a whole number from ${min}\n\n${help}`)
    return EXIT.wrongUse
  }
  return numbers
}
