/** Rates and memory, always of two hosts in turn: the machine's mood of the moment meets both. */
import { readFileSync } from 'node:fs'

/**
 * Repeats `work` in `clients` loops at a time until `durationMs` have passed, each loop at least once.
 *
 * @returns operations a second
 */
export async function rateOf(
  clients: number,
  durationMs: number,
  work: (client: number) => Promise<unknown>,
): Promise<number> {
  const startedAtMs = performance.now()
  let done = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      do {
        await work(client)
        done++
      } while (performance.now() - startedAtMs < durationMs)
    }),
  )
  return (done * 1_000) / (performance.now() - startedAtMs)
}

/** @returns milliseconds */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now()
  await work()
  return performance.now() - startedAtMs
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** @param part 0.99: what all but one in a hundred stay below */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

const SAMPLE_MS = 20

/** Resident memory of a process, sampled; from /proc, so on Linux only. */
export class MemorySampler implements Disposable {
  readonly #pid: number
  readonly #timer: NodeJS.Timeout
  peakBytes = 0

  constructor(pid: number) {
    this.#pid = pid
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS)
    this.#sample()
  }

  static now(pid: number): number {
    const kilobytes = /^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return Number(kilobytes) * 1024
  }

  [Symbol.dispose](): void {
    this.#sample()
    clearInterval(this.#timer)
  }

  #sample(): void {
    this.peakBytes = Math.max(this.peakBytes, MemorySampler.now(this.#pid))
  }
}

/** The most that a process holds while something goes on. @returns bytes */
export async function peakDuring(pid: number, work: () => Promise<unknown>): Promise<number> {
  using sampler = new MemorySampler(pid)
  await work()
  return sampler.peakBytes
}
