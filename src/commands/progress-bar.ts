import { SingleBar } from 'cli-progress'

/**
 * Shows how far it is, on a terminal alone; programs that read JSON get nothing beside it.
 *
 * @param work is given what shows it; `size` is the total in words
 */
export async function withBar<T>(
  what: string,
  isJson: boolean,
  work: (show: (done: number, total: number, size: string) => void) => Promise<T>,
): Promise<T> {
  const format = `${what} [{bar}] {percentage}% of {size}`
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true })
  if (!isJson) bar.start(1, 0, { size: '' })
  try {
    return await work((done, total, size) => {
      bar.setTotal(total)
      bar.update(done, { size })
    })
  } finally {
    bar.stop()
  }
}
