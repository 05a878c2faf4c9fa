/** `npm run property`. */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { closeCases, reportFolder, type SuiteCase } from '../harness/suite.ts'
import { ROOT } from '../integration/support/command-line.ts'
import { isUnexplained, readVitestReport, type VitestReport } from '../harness/vitest-report.ts'
import { addKept, keptSeedOf, propertyName } from './failures.ts'
import type { KeptSeed } from './prop.ts'
import { countsOf, describeCounts, propertiesOf, RUNS_MIN, shortfallsOf } from './summary.ts'

const SUFFIX = '.property.ts'
const FILES = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(SUFFIX))
  .map((name) => basename(name, SUFFIX))
const KEPT_PATH = join(import.meta.dirname, 'kept-seeds.json')
const TEST_TIMEOUT_MS = 300_000

const HELP = `Usage: npm run property [-- FILE… [--seed N] [--runs N]]

What must hold for any input, tried with many: round trips, the same whatever way it is cut, C git
and isomorphic-git as judges, models. Each is run 1,000 times, but for those that start git in
every run: the table at the end says how often, and why. A seed that makes a property fail is kept in
property/kept-seeds.json, to be committed with the mend, and tried before any other from then on.
Writes reports/property/summary.json and junit.xml.

Files (all of them where none is named):
  ${FILES.join(' ')}

  --seed N    the choices of an earlier run (random)
  --runs N    so many times as many of them (1)

Examples:
  npm run property -- pack refs --runs 5
`

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { names, numbers } = readOptions(args, {
    numbers: {
      // fast-check draws from all of 32 bits, and what fails in `npm test` says so.
      seed: { otherwise: randomInt(2 ** 31), min: -(2 ** 31), max: 2 ** 31 - 1 },
      runs: { otherwise: 1, min: 1, max: 1_000 },
    },
    names: { what: 'file', known: FILES },
  })
  const { seed, runs } = numbers
  console.log(`seed ${seed}; again: npm run property -- ${[...names, `--seed ${seed} --runs ${runs}`].join(' ')}`)
  const startedAtMs = performance.now()
  const reportPath = join(reportFolder('property'), 'vitest.json')
  rmSync(reportPath, { force: true })
  const exitCode = await runVitest(names, seed, runs, reportPath, signal)
  const report = readVitestReport(reportPath)
  const properties = propertiesOf(report)
  const cases = [...casesOf(report), ...shortfallsOf(properties, { areAll: names.length === 0 })]
  const isExplained = exitCode === 0 || signal.aborted || cases.some(({ outcome }) => outcome === 'failed')
  const unexplained = {
    name: 'vitest',
    outcome: 'failed',
    duration_s: 0,
    message: `vitest ended with ${exitCode}`,
  } as const
  if (!isExplained) cases.push(unexplained)
  const counts = countsOf(properties)
  console.log(describeCounts(properties, seed))
  return closeCases({ suite: 'property', seed, cases, startedAtMs, details: { runs, ...counts, properties } })
}

async function runVitest(
  names: readonly string[],
  seed: number,
  runs: number,
  reportPath: string,
  signal: AbortSignal,
): Promise<number | null> {
  const files = names.map((name) => `property/${name}${SUFFIX}`)
  const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`]
  const timeout = `--testTimeout=${TEST_TIMEOUT_MS * runs}`
  const child = spawn('vitest', ['run', '--project', 'property', ...options, timeout, ...files], {
    cwd: ROOT,
    env: {
      ...process.env,
      PROPERTY_SEED: `${seed}`,
      PROPERTY_RUNS: `${RUNS_MIN * runs}`,
      PROPERTY_FACTOR: `${runs}`,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('exit', resolve)
  return promise.finally(() => signal.removeEventListener('abort', stop))
}

function casesOf({ testResults }: VitestReport): SuiteCase[] {
  return testResults.flatMap((one) => {
    const file = basename(one.name, SUFFIX)
    if (isUnexplained(one)) {
      return [{ name: file, outcome: 'failed' as const, duration_s: 0, message: one.message ?? 'its hooks failed' }]
    }
    return one.assertionResults.map(({ title, status: outcome, duration, failureMessages }): SuiteCase => {
      const failure = (failureMessages ?? []).join('\n')
      const common = { name: `${file}: ${title}`, duration_s: Math.round((duration ?? 0) / 1_000) }
      if (outcome === 'passed') return { ...common, outcome }
      if (outcome !== 'failed') return { ...common, outcome: 'skipped' }
      keep(file, propertyName(title), failure)
      return { ...common, outcome, message: failure }
    })
  })
}

function keep(file: string, name: string, failure: string): void {
  const found = keptSeedOf(failure)
  if (found === undefined) return
  const kept = JSON.parse(readFileSync(KEPT_PATH, 'utf8')) as Record<string, readonly KeptSeed[]>
  writeFileSync(KEPT_PATH, `${JSON.stringify(addKept(kept, name, found), null, 2)}\n`)
  console.log(`FINDING ${file}: ${name}\n  again: npm run property -- ${file} --seed ${found.seed}`)
}

await runCommand(HELP, main)
