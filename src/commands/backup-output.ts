import { SingleBar } from 'cli-progress'
import type { Progress } from '../storage/backup/create-backup.ts'

const BYTES_PER_MEGABYTE = 1_000_000

/** Shows how far it is, on a terminal alone; programs that read JSON get nothing beside it. */
export async function withProgressBar<T>(
  what: string,
  isJson: boolean,
  work: (onProgress: (progress: Progress) => void) => Promise<T>,
): Promise<T> {
  const format = `${what} [{bar}] {percentage}% of {size}`
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true })
  if (!isJson) bar.start(1, 0, { size: '' })
  try {
    return await work(({ doneBytes, totalBytes }) => {
      bar.setTotal(totalBytes)
      bar.update(doneBytes, { size: megabytes(totalBytes) })
    })
  } finally {
    bar.stop()
  }
}

export function megabytes(bytes: number): string {
  return `${(bytes / BYTES_PER_MEGABYTE).toFixed(1)} MB`
}

export function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
