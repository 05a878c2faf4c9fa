/** What the test runner writes with `--reporter=json`; what it does not write there, only its exit code tells. */
import { readFileSync } from 'node:fs'

export interface VitestTest {
  readonly fullName: string
  readonly title: string
  /** `skipped` is a test that was skipped, and one that `--testNamePattern` left out. */
  readonly status: string
  readonly duration?: number | null
  readonly failureMessages?: readonly string[] | null
  /** What the test itself wrote there. */
  readonly meta?: Readonly<Record<string, unknown>>
}

export interface VitestFile {
  readonly name: string
  readonly status: string
  readonly message?: string
  readonly assertionResults: readonly VitestTest[]
}

export interface VitestReport {
  readonly testResults: readonly VitestFile[]
}

/** A runner that did not even begin has reported nothing; its exit code says so. */
export function readVitestReport(file: string): VitestReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    return { testResults: [] }
  }
}

/** A file that could not even be loaded, or whose hooks failed, has no test that failed. */
export function isUnexplained({ status, assertionResults }: VitestFile): boolean {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed')
}
