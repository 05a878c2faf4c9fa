/** What Stryker found out, as its report says it (mutation-testing-report-schema). */
import { readFileSync } from 'node:fs'
import { hasErrorCode } from '../../src/errors.ts'

/** `Ignored`, `CompileError` and the like say nothing about the tests. */
const DETECTED: readonly string[] = ['Killed', 'Timeout']
const UNDETECTED: readonly string[] = ['Survived', 'NoCoverage']

interface Mutant {
  readonly mutatorName: string
  readonly replacement?: string
  readonly status: string
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
  /** Ids of tests. */
  readonly killedBy?: readonly string[]
}

export interface MutationReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>
  readonly testFiles?: Readonly<Record<string, { readonly tests: readonly { readonly id: string }[] }>>
}

export interface FileScore {
  readonly file: string
  readonly detected: number
  /** Detected or not. */
  readonly valid: number
  /** 0 to 100; 100 where there is nothing to detect. */
  readonly percent: number
  readonly survivors: readonly Survivor[]
}

export interface Survivor {
  readonly line: number
  readonly mutator: string
  readonly status: string
  /** Of the source, where it begins. */
  readonly text: string
  readonly replacement: string
}

export function readMutationReport(path: string): MutationReport {
  return JSON.parse(readFileSync(path, 'utf8')) as MutationReport
}

/** What earlier runs found out. @returns undefined: nothing, or it was cut off when one was killed while it wrote it */
export function readKnown(path: string): MutationReport | undefined {
  try {
    return readMutationReport(path)
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined
    if (!(error instanceof SyntaxError)) throw error
    console.error(`${path} is cut off: everything is tried again`)
    return undefined
  }
}

/**
 * What an earlier run found out, without what survived it in the files that are to be tried again. Stryker does not see
 * that a test became better where a mutant is not in a function: 23 of the 52 mutants of src/validation/names.ts stayed
 * alive in its books when tests for them had come.
 */
export function withoutSurvivors<Report extends MutationReport>(report: Report, again: readonly string[]): Report {
  const files = Object.entries(report.files).map(([file, { mutants, ...rest }]) => [
    file,
    { ...rest, mutants: mutants.filter(({ status }) => DETECTED.includes(status) || !again.includes(file)) },
  ])
  return { ...report, files: Object.fromEntries(files) }
}

/** Those where the properties have killed what the tests beside the code let live. */
export function filesThatNeedProperties({ files, testFiles = {} }: MutationReport): string[] {
  const properties = new Set(
    Object.entries(testFiles).flatMap(([file, { tests }]) =>
      file.startsWith('property/') ? tests.map(({ id }) => id) : [],
    ),
  )
  return Object.entries(files)
    .filter(([, { mutants }]) => mutants.some(({ killedBy = [] }) => killedBy.some((id) => properties.has(id))))
    .map(([file]) => file)
}

/** In the order of their names. */
export function scoresOf({ files }: MutationReport): FileScore[] {
  return Object.entries(files)
    .map(([file, { source, mutants }]): FileScore => {
      const lines = source.split('\n')
      const detected = mutants.filter(({ status }) => DETECTED.includes(status)).length
      const undetected = mutants.filter(({ status }) => UNDETECTED.includes(status))
      const valid = detected + undetected.length
      const survivors = undetected.map(
        ({ mutatorName: mutator, replacement = '', status, location: { start } }): Survivor => ({
          line: start.line,
          mutator,
          status,
          text: lines[start.line - 1]?.trim() ?? '',
          replacement,
        }),
      )
      return { file, detected, valid, percent: percentOf(detected, valid), survivors }
    })
    .sort((a, b) => (a.file < b.file ? -1 : 1))
}

export function percentOf(detected: number, valid: number): number {
  return valid === 0 ? 100 : (100 * detected) / valid
}

/**
 * For people: each survivor by its place, with the line and what stood there instead.
 * @param withProperties the files for which all tests were run; of the others, those beside the code alone
 */
export function survivorsPage(scores: readonly FileScore[], withProperties: ReadonlySet<string>): string {
  const parts = scores
    .filter(({ survivors }) => survivors.length > 0)
    .map(({ file, percent, survivors }) => {
      const lines = survivors.map(
        ({ line, mutator, status, text, replacement }) =>
          `- line ${line}, ${mutator}${status === 'NoCoverage' ? ', no test comes there' : ''}: \`${short(text)}\`` +
          ` → \`${short(replacement.replaceAll(/\s+/g, ' '))}\``,
      )
      const tests = withProperties.has(file) ? '' : ', without the properties'
      return `## ${file}: ${percent.toFixed(1)} %${tests}\n\n${lines.join('\n')}\n`
    })
  return `# Mutants that no test killed\n\n${parts.join('\n')}`
}

const SHOWN_CHARACTERS = 100

function short(text: string): string {
  const plain = text.replaceAll('`', "'")
  return plain.length > SHOWN_CHARACTERS ? `${plain.slice(0, SHOWN_CHARACTERS)}…` : plain
}
