/** For tests of the policies: a clock that is advanced by hand, attempts that fail or hang, and what was told. */
import pino from 'pino'
import { afterEach, beforeEach, expect, type MockInstance, vi } from 'vitest'
import { createMetrics, type Metrics } from '../observability/metrics.ts'
import { type OutboundCall, type OutboundOptions, OutboundPolicies } from './outbound.ts'

export class Unreachable extends Error {}

/** Log lines since the test began. */
export const lines: Record<string, unknown>[] = []
const logger = pino(
  { level: 'debug', base: null },
  { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
)
const never = new AbortController().signal
export const status: OutboundCall = { name: 'status', idempotent: true, ends: 'deadline', signal: never }
export const once: OutboundCall = { ...status, idempotent: false }
export const pack: OutboundCall = { name: 'pack', idempotent: false, ends: 'progress', signal: never }

/** Where delays are drawn from: the middle, unless a test says otherwise. */
export let random: MockInstance<typeof Math.random>

export interface Started {
  readonly policies: OutboundPolicies
  value(series: string): Promise<number>
}

/** Ten seconds an attempt, three attempts, five failures; what is unreachable is transient. */
export function start(options: Partial<OutboundOptions> = {}): Started {
  const metrics: Metrics = createMetrics({ routePaths: [], version: '1', onCollectError: () => {} })
  const isTransient = (error: unknown): boolean => error instanceof Unreachable
  const defaults = { dependency: 'peer', attemptTimeoutMs: 10_000, attemptsMax: 3, breakerThreshold: 5 } as const
  const policies = new OutboundPolicies({ ...defaults, isTransient, ...options }, { metrics, logger })
  return {
    policies,
    async value(series) {
      const line = (await metrics.registry.metrics()).split('\n').find((text) => text.startsWith(`${series} `))
      return Number(line?.split(' ')[1])
    },
  }
}

export const fail = (): Promise<never> => Promise.reject(new Unreachable('no route'))
export const hang = (): Promise<never> => new Promise(() => {})
export const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

/** Fails so often that the circuit of `key` opens. */
export async function open(policies: OutboundPolicies, key: string, failures = 5): Promise<void> {
  for (let call = 0; call < failures; call++) await outcome(policies.run(key, once, fail))
  expect(policies.state(key)).toBe('open')
}

/** Call it at the top of a file. */
export function withFakeClock(): void {
  beforeEach(() => {
    vi.useFakeTimers()
    random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    lines.length = 0
  })
  afterEach(() => {
    vi.useRealTimers()
    random.mockRestore()
  })
}
