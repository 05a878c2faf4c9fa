/** Whether what the committed inputs leave out is what is listed, and no more. */
import { type FileCoverage, percentOf } from './cover.ts'
import { GAPS } from './gaps.ts'

export const PERCENT_MIN = 95

/** @returns a sentence for each branch that is missing and not listed, or listed and not missing */
export function judgeCoverage(files: readonly FileCoverage[], gaps = GAPS): string[] {
  const unknown = Object.keys(gaps).filter((file) => !files.some((one) => one.file === file))
  return [
    ...unknown.map((file) => `fuzz/reach/gaps.ts: ${file} is no decoder`),
    ...files.flatMap((one) => judgeFile(one, gaps[one.file] ?? {})),
  ]
}

function judgeFile({ file, missing }: FileCoverage, listed: Readonly<Record<string, string>>): string[] {
  const names = new Set(missing.map(({ name }) => name))
  return [
    ...missing
      .filter(({ name }) => !Object.hasOwn(listed, name))
      .map(({ line, name }) => `${file}:${line} is never taken: ${name}`),
    ...Object.keys(listed)
      .filter((name) => !names.has(name))
      .map((name) => `fuzz/reach/gaps.ts: ${file}: is taken, or there is none: ${name}`),
  ]
}

/** In lines: each file, and what of it is missing. */
export function describeCoverage(files: readonly FileCoverage[], gaps = GAPS): string[] {
  return files
    .filter(({ branches }) => branches > 0)
    .flatMap((one) => [
      `${`${percentOf(one)} %`.padStart(7)} ${String(one.taken).padStart(4)} of ${String(one.branches).padStart(3)}  ${one.file}`,
      ...one.missing.map(({ line, name }) => {
        return `          line ${line}: ${name}: ${gaps[one.file]?.[name] ?? 'NOT LISTED'}`
      }),
    ])
}
