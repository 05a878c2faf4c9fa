/** Where a run is: one line that is written over on a terminal, a line now and then in a pipe. */
import type { FuzzStatus } from './engine/libfuzzer-lines.ts'

const PIPE_EVERY_MS = 30_000
const number = new Intl.NumberFormat('en-US')

export class Progress {
  readonly #statuses = new Map<string, FuzzStatus>()
  readonly #isTerminal = process.stdout.isTTY
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.#timer = setInterval(() => this.#show(), this.#isTerminal ? 500 : PIPE_EVERY_MS)
    this.#timer.unref()
  }

  update(target: string, status: FuzzStatus): void {
    this.#statuses.set(target, status)
  }

  /** A line that stays; the target it is about is done. */
  done(target: string, line: string): void {
    this.#statuses.delete(target)
    this.say(line)
  }

  say(line: string): void {
    this.#clear()
    console.log(line)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#clear()
  }

  #show(): void {
    const parts = Array.from(
      this.#statuses,
      ([target, { executions, coverage, corpusInputs }]) =>
        `${target} ${number.format(executions)} runs, ${coverage} edges, ${corpusInputs} inputs`,
    )
    if (parts.length === 0) return
    if (this.#isTerminal) process.stdout.write(`\r\u001b[K${parts.join(' · ').slice(0, process.stdout.columns - 1)}`)
    else console.log(`  ${parts.join(' · ')}`)
  }

  #clear(): void {
    if (this.#isTerminal) process.stdout.write('\r\u001b[K')
  }
}

export function formatNumber(value: number): string {
  return number.format(value)
}
