/** What one input may take: the fuzzer ends it there, and so does the replay of what it found. */

export interface InputLimits {
  readonly timeMs: number
  /** Beyond what the process takes without it. */
  readonly memoryMb: number
}

/** Of the fuzzer's whole process, which libFuzzer watches. */
export const RSS_MB_MAX = 1_024
/** Of it, what Node and the instrumented code take without an input. */
export const RSS_MB_WITHOUT_INPUT = 200

export const INPUT_LIMITS: InputLimits = { timeMs: 10_000, memoryMb: RSS_MB_MAX - RSS_MB_WITHOUT_INPUT }
