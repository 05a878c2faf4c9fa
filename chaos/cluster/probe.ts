/**
 * Whether a link does what was ordered, seen from outside: a connection of our own through its proxy, which says what
 * every libp2p connection begins with and listens for the same in answer.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Action } from '../history.ts'

/** https://github.com/multiformats/multistream-select: a length, the protocol, a line's end. */
export const HELLO = '\u0013/multistream/1.0.0\n'
/** For what comes in milliseconds unless something is wrong. */
const PATIENCE_MS = 10_000
/** The quickest of so many counts: a busy machine may make one of them slow, too. */
const ROUND_TRIPS = 3

export class Probe implements Disposable {
  readonly #socket: Socket
  readonly #beganAtMs = performance.now()
  readonly #decided = Promise.withResolvers<void>()
  #received = ''
  /** Until the answer; undefined: it has not come. */
  answeredAfterMs: number | undefined
  /** How it broke before an answer came; undefined: it did not. */
  broken: string | undefined

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setEncoding('utf8')
    this.#socket.on('data', (text: string) => {
      this.#received += text
      if (this.answeredAfterMs !== undefined || !this.#received.startsWith(HELLO)) return
      this.answeredAfterMs = performance.now() - this.#beganAtMs
      this.#decided.resolve()
    })
    const broke = (how: string): void => {
      if (this.answeredAfterMs === undefined) this.broken ??= how
      this.#decided.resolve()
    }
    this.#socket.on('error', (error) => broke('code' in error ? String(error.code) : error.message))
    this.#socket.on('close', () => broke('closed'))
    this.#socket.write(HELLO)
    // A run that is broken off does not wait for it.
    this.#socket.unref()
  }

  get ageMs(): number {
    return performance.now() - this.#beganAtMs
  }

  /** Until it was answered or broke, or for as long as anybody waits. */
  async decided(): Promise<void> {
    const enough = new AbortController()
    const late = delay(PATIENCE_MS, undefined, { signal: enough.signal }).catch(() => {})
    await Promise.race([this.#decided.promise, late])
    enough.abort()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

/** @throws Error where nothing answers through this port: then silence would show nothing */
export async function expectAnswer(name: string, port: number): Promise<void> {
  using probe = new Probe(port)
  await probe.decided()
  if (probe.answeredAfterMs === undefined) throw new Error(`${name} does not answer: ${probe.broken ?? 'silence'}`)
}

/**
 * Begins to look at what was just done to a link.
 * @returns what tells in the end what there was to see; undefined where all was as if nothing had been done
 */
export function lookAt(action: Exclude<Action, { kind: 'kill' }>, port: number): () => Promise<string | undefined> {
  if (action.kind === 'slow') {
    const quickest = quickestAnswer(port)
    return async () => {
      const ms = await quickest
      // It has to go there and back.
      return ms !== undefined && ms >= action.latencyMs ? `an answer took ${Math.round(ms)} ms` : undefined
    }
  }
  const probe = new Probe(port)
  return async () => {
    using _ended = probe
    if (action.kind === 'reset') {
      await probe.decided()
      return probe.broken === undefined ? undefined : `a new connection broke: ${probe.broken}`
    }
    if (probe.answeredAfterMs !== undefined) return undefined
    return `a new connection had no answer in ${Math.round(probe.ageMs)} ms`
  }
}

async function quickestAnswer(port: number): Promise<number | undefined> {
  const times: number[] = []
  for (let at = 0; at < ROUND_TRIPS; at++) {
    using probe = new Probe(port)
    await probe.decided()
    if (probe.answeredAfterMs !== undefined) times.push(probe.answeredAfterMs)
  }
  return times.length === 0 ? undefined : Math.min(...times)
}
