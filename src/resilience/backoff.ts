import { ExponentialBackoff, fullJitterGenerator } from 'cockatiel'

const DELAY_MS_FIRST = 100
const DELAY_MS_MAX = 5_000

/** Before the second attempt, the third …: anything from 0 up to what `delayMsMax` says. */
export function retryBackoff(): ExponentialBackoff<number | undefined> {
  return new ExponentialBackoff({
    generator: fullJitterGenerator,
    initialDelay: DELAY_MS_FIRST,
    maxDelay: DELAY_MS_MAX,
  })
}

/** The longest wait before retry number `retry`, counted from 1. */
export function delayMsMax(retry: number): number {
  return Math.min(DELAY_MS_MAX, DELAY_MS_FIRST * 2 ** (retry - 1))
}

/** All waits of a call with so many attempts, if each is as long as it can be. */
export function delaysMsMax(attempts: number): number {
  let sumMs = 0
  for (let retry = 1; retry < attempts; retry++) sumMs += delayMsMax(retry)
  return sumMs
}
