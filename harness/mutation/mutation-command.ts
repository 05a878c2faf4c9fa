/** `npm run mutation`. */
import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import Table from 'cli-table3'
import { ROOT } from '../../integration/support/command-line.ts'
import { runCommand } from '../command.ts'
import { WrongUseError } from '../errors.ts'
import { readOptions } from '../options.ts'
import { groupEndsAfter } from '../process-group.ts'
import { closeCases, reportFolder, type SuiteCase } from '../suite.ts'
import { GOAL_PERCENT, isHeld, MUTATED_FILES, MUTATED_FOLDERS, TESTS_VARIABLE } from './folders.ts'
import {
  type FileScore,
  filesThatNeedProperties,
  percentOf,
  readKnown,
  readMutationReport,
  scoresOf,
  survivorsPage,
  withoutSurvivors,
} from './score.ts'

const HELP = `Usage: npm run mutation [-- FILE|FOLDER… [--held] [--jobs N]]

Changes the code in one place at a time (Stryker), and looks whether a test notices. At least ${GOAL_PERCENT} % of
the mutants of each decoder of src/git and each file of src/validation must be killed: by the tests
beside the code or, in a file where these do not get there, by the properties. Other files have the
tests beside them only, and no goal. What a test killed is not tried again before the code or the
test changes, also where the run was interrupted. Writes reports/mutation/ (summary.json, junit.xml,
survivors.md, index.html).

All files, where none is named, take hours. The folders, each with the files right in it:

  ${MUTATED_FOLDERS.join('\n  ')}

  --held      only the files that the goal is for
  --jobs N    so many mutants at the same time (2)

Examples:
  npm run mutation -- --held
  npm run mutation -- src/git/pkt-line.ts
  npm run mutation -- src/git/fsck src/validation --jobs 4
`

/**
 * The same seed for each mutant, so that a second look at the same code comes to the same figure. What starts git runs a
 * fifth as often: every mutant that lives waits for all of it, and that was most of the time.
 */
const OF_PROPERTIES = { PROPERTY_SEED: '1', PROPERTY_FACTOR: '0.2' }

const INCREMENTAL = 'incremental.json'
const REPORT = 'mutation.json'

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { names, numbers, flags } = readOptions(args, {
    numbers: { jobs: { otherwise: 2, min: 1, max: 64 } },
    flags: ['held'],
    names: { what: 'file or folder', known: [...MUTATED_FOLDERS, ...MUTATED_FILES] },
  })
  const startedAtMs = performance.now()
  const files = MUTATED_FILES.filter(
    (file) => names.length === 0 || names.includes(file) || names.includes(dirname(file)),
  ).filter((file) => !flags.held || isHeld(file))
  if (files.length === 0)
    throw new WrongUseError('The goal is for none of these files: name others, or leave out --held')
  const folder = reportFolder('mutation')
  rmSync(join(folder, REPORT), { force: true })
  const run = { jobs: numbers.jobs, folder, signal }
  // What the properties killed would live again in a run without them, and had to wait for them once more.
  const known = readKnown(join(folder, INCREMENTAL))
  const withProperties = new Set(known === undefined ? [] : filesThatNeedProperties(known).filter(isHeld))
  const exitCode = await tryFolders(files, withProperties, run)
  // Ended from outside it has no exit code, which is no success either.
  if (exitCode !== 0) {
    const message = `stryker ended with ${exitCode}`
    return closeCases({
      suite: 'mutation',
      seed: 0,
      cases: [{ name: 'stryker', outcome: 'failed', duration_s: 0, message }],
      startedAtMs,
      details: {},
    })
  }
  const scores = scoresIn(folder, files)
  writeFileSync(join(folder, 'survivors.md'), survivorsPage(scores, withProperties))
  console.log(tableOf(scores))
  console.log(`survivors: ${relative(ROOT, join(folder, 'survivors.md'))}`)
  const details = { scores: scores.map(({ survivors, ...score }) => ({ ...score, survivors: survivors.length })) }
  return closeCases({ suite: 'mutation', seed: 0, cases: scores.map(caseOf), startedAtMs, details })
}

/**
 * One folder after another: a mutant that never ends has as much time as all tests of its run, which took 86 s where they
 * were those of all files.
 *
 * @param withProperties the files that need them; those that are found to be short without them are added
 * @returns an exit code of Stryker that is not 0, or 0
 */
async function tryFolders(files: readonly string[], withProperties: Set<string>, run: Run): Promise<number | null> {
  for (const inFolder of Map.groupBy(files, (file) => dirname(file)).values()) {
    const beside = inFolder.filter((file) => !withProperties.has(file))
    if (beside.length > 0) {
      const exitCode = await runStryker(beside, 'beside', run)
      if (exitCode !== 0) return exitCode
      // Whatever lives waits for all tests there are, with the properties some 15 s: they run only where they decide.
      for (const { file } of scoresIn(run.folder, beside).filter(isShort)) withProperties.add(file)
    }
    const rest = inFolder.filter((file) => withProperties.has(file))
    const exitCode = rest.length > 0 ? await runStryker(rest, 'all', run) : 0
    if (exitCode !== 0) return exitCode
  }
  return 0
}

/** What an earlier run found out about other files is in the report, too. */
function scoresIn(folder: string, files: readonly string[]): FileScore[] {
  return scoresOf(readMutationReport(join(folder, REPORT))).filter(({ file }) => files.includes(file))
}

interface Run {
  readonly jobs: number
  /** For the reports. */
  readonly folder: string
  readonly signal: AbortSignal
}

/** @returns its exit code; null: it was ended from outside */
async function runStryker(
  files: readonly string[],
  tests: 'beside' | 'all',
  { jobs, folder, signal }: Run,
): Promise<number | null> {
  const here = relative(ROOT, import.meta.dirname)
  signal.throwIfAborted()
  const inFolder = (name: string): string => relative(ROOT, join(folder, name))
  const incremental = join(folder, INCREMENTAL)
  const sandbox = join(folder, `sandbox-${process.pid}`)
  // Where Stryker does not come to its end, it leaves its copy of the tree; workers that were killed may be dying still.
  using _copy = { [Symbol.dispose]: () => rmSync(sandbox, { recursive: true, force: true, maxRetries: 5 }) }
  const config = {
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: `${here}/vitest.config.ts`, related: true },
    mutate: files,
    coverageAnalysis: 'perTest',
    concurrency: jobs,
    incremental: true,
    incrementalFile: inFolder(INCREMENTAL),
    // What is not of the project: tools that were fetched, a node's data, what was built, and the 17,000 inputs that
    // fuzzing here has kept, where all that is committed are 1,200 files.
    ignorePatterns: ['/.tools', '/data', '/dist', '/dist-*', '/reports'],
    // Where vitest looks for tests: below node_modules it finds none.
    tempDirName: relative(ROOT, sandbox),
    // Node strips the types; nothing is compiled that a config would be for.
    tsconfigFile: `${here}/no-tsconfig.json`,
    reporters: ['progress-append-only', 'json', 'html'],
    jsonReporter: { fileName: inFolder(REPORT) },
    htmlReporter: { fileName: inFolder('index.html') },
  }
  const known = readKnown(incremental)
  if (known === undefined) rmSync(incremental, { force: true })
  else writeFileSync(incremental, JSON.stringify(withoutSurvivors(known, files)))
  const configPath = join(folder, 'stryker.config.json')
  writeFileSync(configPath, JSON.stringify(config, null, 2))
  const env = { ...process.env, ...OF_PROPERTIES, [TESTS_VARIABLE]: tests }
  const child = spawn('stryker', ['run', configPath], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  })
  // Asked to end, it saves what it found. Its workers do not hear that it ended while a mutant has them in a loop.
  using _group = groupEndsAfter(child, signal)
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('exit', resolve)
  return await promise
}

function isShort({ file, percent }: FileScore): boolean {
  return isHeld(file) && percent < GOAL_PERCENT
}

function caseOf(score: FileScore): SuiteCase {
  const { file, percent, survivors } = score
  const message = `${percent.toFixed(1)} % of ${GOAL_PERCENT}: ${survivors.length} survived`
  return { name: file, outcome: isShort(score) ? 'failed' : 'passed', duration_s: 0, message }
}

function tableOf(scores: readonly FileScore[]): string {
  const table = new Table({ head: ['file', 'killed', 'of', '%', 'goal'], style: { head: [], border: [] } })
  for (const { file, detected, valid, percent } of scores) {
    table.push([file, detected, valid, percent.toFixed(1), isHeld(file) ? GOAL_PERCENT : ''])
  }
  const sum = (of: (score: FileScore) => number): number => scores.reduce((all, score) => all + of(score), 0)
  const [detected, valid] = [sum((score) => score.detected), sum((score) => score.valid)]
  table.push(['all', detected, valid, percentOf(detected, valid).toFixed(1), ''])
  return table.toString()
}

await runCommand(HELP, main)
