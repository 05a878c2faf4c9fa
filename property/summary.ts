/** How often each property was run, and whether that is enough. */
import { basename } from 'node:path'
import Table from 'cli-table3'
import type { SuiteCase } from '../harness/suite.ts'
import type { VitestReport } from '../harness/vitest-report.ts'
import type { Executed } from './executed.ts'
import { propertyName } from './failures.ts'

/** Runs of a property that starts no program. */
export const RUNS_MIN = 1_000
export const PROPERTIES_MIN = 60

export interface PropertyCount extends Executed {
  /** Without `.property.ts`. */
  readonly file: string
  readonly name: string
}

export interface Counts {
  readonly propertiesRun: number
  /** With `RUNS_MIN` runs and more. */
  readonly propertiesOften: number
  /** With fewer, as they start git. */
  readonly propertiesWithGit: number
  readonly runsOfAll: number
}

/** Each property that was run; what was kept of earlier failures is no property of its own. */
export function propertiesOf({ testResults }: VitestReport): PropertyCount[] {
  return testResults.flatMap(({ name: path, assertionResults }) =>
    assertionResults.flatMap(({ title, meta }) => {
      const executed = meta?.['executed'] as Executed | undefined
      if (executed === undefined || title.startsWith('kept: ')) return []
      return { file: basename(path, '.property.ts'), name: propertyName(title), ...executed }
    }),
  )
}

/** In each of its runs: one start of git for all of them would excuse no small number. */
const startsGit = ({ runs, programs }: PropertyCount): boolean => programs > 0 && programs >= runs

/** @param options `areAll`: no file was left out, so that there must be `PROPERTIES_MIN` */
export function shortfallsOf(properties: readonly PropertyCount[], { areAll }: { areAll: boolean }): SuiteCase[] {
  const few = properties.filter((one) => one.runs < RUNS_MIN && !startsGit(one))
  const shortfalls = few.map(({ file, name, runs }) =>
    failed(`${file}: ${name}: runs`, `It starts no git, and was run ${runs} times instead of ${RUNS_MIN}`),
  )
  if (!areAll || properties.length >= PROPERTIES_MIN) return shortfalls
  const message = `${properties.length} properties were run; there must be ${PROPERTIES_MIN}`
  return [...shortfalls, failed('number of properties', message)]
}

function failed(name: string, message: string): SuiteCase {
  return { name, outcome: 'failed', duration_s: 0, message }
}

export function countsOf(properties: readonly PropertyCount[]): Counts {
  const often = properties.filter(({ runs }) => runs >= RUNS_MIN)
  return {
    propertiesRun: properties.length,
    propertiesOften: often.length,
    propertiesWithGit: properties.filter((one) => !often.includes(one) && startsGit(one)).length,
    runsOfAll: properties.reduce((sum, { runs }) => sum + runs, 0),
  }
}

/** For people: a row for each property, and a sentence. */
export function describeCounts(properties: readonly PropertyCount[], seed: number): string {
  const table = new Table({
    head: ['property', 'runs', 'why fewer'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  })
  for (const one of properties.toSorted((a, b) => a.file.localeCompare(b.file))) {
    table.push([`${one.file}: ${one.name}`, { content: one.runs.toLocaleString('en'), hAlign: 'right' }, whyFewer(one)])
  }
  const { propertiesRun, propertiesOften, propertiesWithGit, runsOfAll } = countsOf(properties)
  const all = runsOfAll.toLocaleString('en')
  return `${table.toString()}
${propertiesRun} properties with seed ${seed}: ${propertiesOften} with ${RUNS_MIN.toLocaleString('en')} runs and more, \
${propertiesWithGit} with fewer, as they start git; ${all} runs in all`
}

function whyFewer(one: PropertyCount): string {
  if (one.runs >= RUNS_MIN) return ''
  return startsGit(one) ? `starts git ${one.programs.toLocaleString('en')} times` : 'NOT ENOUGH'
}
