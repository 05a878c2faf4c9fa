/**
 * Whether what several callers saw at once can be told as if one had come after the other (Wing and Gong, "Testing and
 * verifying concurrent objects", 1993; with Lowe's memory of what was tried).
 */

/** One call, as its caller knows it. */
export interface Recorded<Call, Answer> {
  readonly call: Call
  /** undefined: nobody knows, so that it may have happened at any time since, or never. */
  readonly answer: Answer | undefined
  /** Of a clock that ticks with each call and each answer. */
  readonly calledAt: number
  /** Infinity where there was no answer. */
  readonly answeredAt: number
}

/** What one caller alone would see. */
export interface Sequential<State, Call, Answer> {
  readonly initial: State
  /** @returns what is true afterwards; undefined: nobody can be told that, where `state` is true */
  step(state: State, call: Call, answer: Answer | undefined): State | undefined
  /** The same text for the same state. */
  keyOf(state: State): string
}

/**
 * Looks for an order in which every answer is right, and in which no call comes after one that began when it had its
 * answer already. Takes time that grows with the number of calls that overlap, so: a handful of them.
 *
 * @returns that order; calls without an answer that never happened are left out; undefined: there is none
 */
export function linearize<State, Call, Answer>(
  history: readonly Recorded<Call, Answer>[],
  { initial, step, keyOf }: Sequential<State, Call, Answer>,
): readonly Recorded<Call, Answer>[] | undefined {
  const inVain = new Set<string>()
  const search = (
    left: readonly Recorded<Call, Answer>[],
    state: State,
  ): readonly Recorded<Call, Answer>[] | undefined => {
    if (left.every(({ answer }) => answer === undefined)) return []
    const key = `${left.map((one) => history.indexOf(one)).join(' ')}: ${keyOf(state)}`
    if (inVain.has(key)) return undefined
    const firstAnswer = Math.min(...left.map(({ answeredAt }) => answeredAt))
    for (const one of left) {
      // Somebody had an answer before this one asked, and is still to come.
      if (one.calledAt > firstAnswer) continue
      const next = step(state, one.call, one.answer)
      if (next === undefined) continue
      const rest = search(
        left.filter((other) => other !== one),
        next,
      )
      if (rest !== undefined) return [one, ...rest]
    }
    inVain.add(key)
    return undefined
  }
  return search(history, initial)
}
