/** A reporter of Vitest that writes a line for each test as it ends: what is there of a run that is broken off. */
import { appendFileSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import type { SuiteCase } from '../../harness/suite.ts'
import { ROOT } from './command-line.ts'

/** Names the file, to which lines are added. */
export const CASES_FILE = 'INTEGRATION_CASES_FILE'

export default class CaseReporter implements Reporter {
  readonly #file = process.env[CASES_FILE]
  readonly #told = new Set<string>()

  onTestCaseResult(test: TestCase): void {
    const result = test.result()
    if (result.state === 'pending' || this.#told.has(test.id)) return
    this.#told.add(test.id)
    const duration_s = (test.diagnostic()?.duration ?? 0) / 1_000
    const message = textOf(result.errors)
    const name = `${fileOf(test.module)}: ${test.fullName.replaceAll(' > ', ' ')}`
    this.#write({ name, outcome: result.state, duration_s, ...(message !== '' && { message }) })
  }

  onTestModuleEnd(module: TestModule): void {
    const tests = [...module.children.allTests()]
    for (const test of tests) this.onTestCaseResult(test)
    if (module.state() !== 'failed' || tests.some((test) => test.result().state === 'failed')) return
    // A file that could not even be loaded, or whose hooks failed, has no test that failed.
    const suites = [...module.children.allSuites()]
    const message = textOf([module, ...suites].flatMap((suite) => suite.errors()))
    this.#write({ name: fileOf(module), outcome: 'failed', duration_s: 0, message })
  }

  #write(one: SuiteCase): void {
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(one)}\n`)
  }
}

/** Of a run that may have been broken off while it wrote; none where it did not even begin. */
export function readCases(file: string): SuiteCase[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as SuiteCase)
  } catch {
    return []
  }
}

function fileOf({ moduleId }: TestModule): string {
  return relative(ROOT, moduleId)
}

function textOf(errors: readonly { readonly message: string; readonly stack?: string }[] | undefined): string {
  return (errors ?? []).map(({ message, stack }) => stack ?? message).join('\n')
}
