/** What libFuzzer prints, as far as anybody here wants to know. */

export interface FuzzStatus {
  readonly executions: number
  /** Edges of the instrumented code that were taken. */
  readonly coverage: number
  /** Edges with how often, and values that were compared. */
  readonly features: number
  readonly corpusInputs: number
}

const NOTHING: FuzzStatus = { executions: 0, coverage: 0, features: 0, corpusInputs: 0 }
/** Lines of a finding that are kept. */
const FINDING_LINES_MAX = 12

export class LibFuzzerLines {
  status = NOTHING
  /** With the seeds, before the first change of them; undefined: it did not come so far. */
  seeded: FuzzStatus | undefined
  /** What was thrown, as far as it was printed. */
  readonly finding: string[] = []
  #isInFinding = false

  take(line: string): void {
    const status = /^#([0-9]+)\t *(\S+)/.exec(line)
    if (status !== null) {
      this.#takeStatus(line, Number(status[1]))
      if (status[2] === 'INITED') this.seeded = this.status
    }
    const executed = /^stat::number_of_executed_units: +([0-9]+)/.exec(line)?.[1]
    if (executed !== undefined) this.status = { ...this.status, executions: Number(executed) }
    this.#takeFinding(line)
  }

  #takeStatus(line: string, executions: number): void {
    const number = (name: string): number => Number(new RegExp(` ${name}: ([0-9]+)`).exec(line)?.[1] ?? 0)
    this.status = {
      executions,
      coverage: number('cov'),
      features: number('ft'),
      corpusInputs: number('corp'),
    }
  }

  #takeFinding(line: string): void {
    const begins = /^==[0-9]+==\s*(?:Uncaught Exception: )?(.*)$/.exec(line)
    if (begins !== null) {
      this.#isInFinding = true
      if (begins[1] !== '') this.finding.push(begins[1] ?? '')
    } else if (/^(MS|SUMMARY|artifact_prefix|NOTE)\b/.test(line)) this.#isInFinding = false
    else if (this.#isInFinding && this.finding.length < FINDING_LINES_MAX) this.finding.push(line)
  }
}
