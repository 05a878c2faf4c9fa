import type { Progress } from '../storage/backup/create-backup.ts'
import { withBar } from './progress-bar.ts'

const BYTES_PER_MEGABYTE = 1_000_000

/** Shows how many bytes are done. */
export function withProgressBar<T>(
  what: string,
  isJson: boolean,
  work: (onProgress: (progress: Progress) => void) => Promise<T>,
): Promise<T> {
  return withBar(what, isJson, (show) =>
    work(({ doneBytes, totalBytes }) => show(doneBytes, totalBytes, megabytes(totalBytes))),
  )
}

export function megabytes(bytes: number): string {
  return `${(bytes / BYTES_PER_MEGABYTE).toFixed(1)} MB`
}

export function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
