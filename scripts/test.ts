/** `npm test`: what needs only npm packages and git, then one line that counts. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../integration/support/command-line.ts'
import { closeSuite, EXIT } from '../harness/suite.ts'

const REPORT = join(ROOT, 'reports/test/vitest.json')

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: readonly { readonly name: string; readonly status: string }[]
}

/**
 * A worker that cannot end must fail the run, not hold it; a build machine with half the speed must not. CI gives all of its
 * steps 90 minutes, and `.ci/run` should take less than 30.
 */
const RUN_MS_MAX = 27 * 60_000

function run(program: string, ...args: readonly string[]): boolean {
  console.log(`\n> ${[program, ...args].join(' ')}`)
  const ended = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit', timeout: RUN_MS_MAX, killSignal: 'SIGKILL' })
  if (ended.error !== undefined) console.error(`${program} did not end by itself: ${ended.error.message}`)
  return ended.status === 0
}

function main(): number {
  const startedAtMs = performance.now()
  rmSync(REPORT, { force: true })
  // The quick ones first; none is worth waiting for the others once it has failed.
  const checked = run('tsc', '-p', '.') && run('oxlint', '--type-aware') && run('oxfmt', '--check', '.')
  if (!checked) {
    console.log('0 passed, 1 failed')
    return EXIT.finding
  }
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`]
  const passed = run('vitest', 'run', ...reporters, ...process.argv.slice(2))
  if (!existsSync(REPORT)) {
    console.log('0 passed, 1 failed')
    return EXIT.finding
  }
  const report = JSON.parse(readFileSync(REPORT, 'utf8')) as VitestReport
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = report
  // A file that could not even be loaded has no test that failed.
  const broken = testResults.filter((file) => file.status === 'failed').length
  const failed = passed ? numFailedTests : Math.max(numFailedTests, broken, 1)
  const executed = numPassedTests + failed
  const counts = { executed, passed: numPassedTests, failed, skipped: numPendingTests }
  const duration_s = Math.round((performance.now() - startedAtMs) / 1_000)
  return closeSuite({ suite: 'test', seed: 0, ...counts, duration_s }, {})
}

process.exitCode = main()
