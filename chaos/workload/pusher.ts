/** One person who pushes to the home without pause, one push after another, and writes down what git said. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../integration/support/random.ts'
import type { Push, Read, Refs, RefUpdate } from '../history.ts'
import type { Workshop } from './commits.ts'

const PAUSE_MS: readonly [min: number, max: number] = [40, 200]
/** Between two questions to a home that does not answer. */
const ASK_AGAIN_MS = 150

/** Of the pushes, those that race with somebody else's: so many until the home has refused one, which shows that they do. */
const RACE_SHARES = { untilRefused: 0.5, after: 0.2 } as const
/** It takes less than a second. */
const PUSH_MS_MAX = 30_000
/** Changed by all pushers of a repository: of two that saw the same value one wins. */
export const SHARED = 'refs/heads/shared'

export interface PusherParts {
  readonly name: string
  readonly repository: string
  readonly workshop: Workshop
  readonly random: Random
  /** Where to push; undefined while the home is away. */
  readonly url: () => string | undefined
  /** What the home lists now; undefined where it does not answer. */
  readonly read: () => Promise<Read | undefined>
  /** Waits for somebody else who wants to race for the shared ref. */
  readonly meet: (signal: AbortSignal) => Promise<void>
  /** Whether the home has refused one who raced. */
  readonly hasLost: () => boolean
  readonly nowMs: () => number
  readonly onBegin: () => void
  readonly onPush: (push: Push) => void
  /** Breaks off also a push that has begun. */
  readonly broken: AbortSignal
}

interface Plan {
  readonly line: string
  readonly updates: readonly RefUpdate[]
}

export class Pusher {
  readonly #parts: PusherParts
  #refs: Refs | undefined
  #made = 0
  #topics = 0

  constructor(parts: PusherParts) {
    this.#parts = parts
  }

  /** Pushes until the signal aborts; a push that has begun is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const { random } = this.#parts
    while (!signal.aborted) {
      const isRace = random.chance(this.#parts.hasLost() ? RACE_SHARES.after : RACE_SHARES.untilRefused)
      if (isRace) {
        await this.#parts.meet(signal)
        this.#refs = undefined
      }
      this.#refs ??= (await this.#parts.read())?.refs
      const url = this.#parts.url()
      if (this.#refs === undefined || url === undefined) {
        this.#refs = undefined
        await pause(ASK_AGAIN_MS, signal)
        continue
      }
      await this.#push(await (isRace ? this.#planRace(this.#refs) : this.#plan(this.#refs)), url)
      const [min, max] = PAUSE_MS
      await pause(min + random.below(max - min), signal)
    }
  }

  async #push({ line, updates }: Plan, url: string): Promise<void> {
    const { name: pusher, repository, workshop, nowMs, onBegin, onPush, broken } = this.#parts
    // The lease is what makes git send the old value that we know of, and not the one that the home just told it.
    const leases = updates.map(({ ref, from = '' }) => `--force-with-lease=${ref}:${from}`)
    const specs = updates.map(({ ref, to = '' }) => `${to}:${ref}`)
    const beganMs = nowMs()
    onBegin()
    const bound = AbortSignal.any([broken, AbortSignal.timeout(PUSH_MS_MAX)])
    const said = await workshop.git.try(['push', '--porcelain', '--atomic', ...leases, url, ...specs], undefined, bound)
    const outcome = outcomeOf(said)
    onPush({
      pusher,
      repository,
      line,
      updates,
      beganMs,
      endedMs: nowMs(),
      outcome,
      said: `${said.stdout}${said.stderr}`.replaceAll(/\/\/[^@/\s]+@/g, '//').trim(),
    })
    // Others change the shared ref, too; and after anything but a success only the home knows.
    this.#refs = outcome === 'acknowledged' && line !== SHARED ? after(this.#refs ?? {}, updates) : undefined
  }

  async #planRace(refs: Refs): Promise<Plan> {
    const { random, workshop } = this.#parts
    const from = refs[SHARED]
    return { line: SHARED, updates: [{ ref: SHARED, from, to: await workshop.commit(from, this.#message(), random) }] }
  }

  async #plan(refs: Refs): Promise<Plan> {
    const { name, random, workshop } = this.#parts
    const message = this.#message()
    const own = `refs/heads/${name}`
    const clock = `${own}/main`
    const from = refs[clock]
    // Sometimes the branch is begun anew: the objects of what it was are needed no more.
    const to = await workshop.commit(random.chance(0.1) ? undefined : from, message, random)
    const updates: RefUpdate[] = [{ ref: clock, from, to }]
    const choice = random.below(10)
    if (choice < 2) {
      for (const side of ['left', 'right']) updates.push({ ref: `${own}/${side}`, from: refs[`${own}/${side}`], to })
    } else if (choice === 2) updates.push({ ref: `${own}/topic-${this.#topics++}`, from: undefined, to })
    else if (choice === 3) {
      const topic = Object.keys(refs).find((ref) => ref.startsWith(`${own}/topic-`))
      if (topic !== undefined) updates.push({ ref: topic, from: refs[topic], to: undefined })
    }
    return { line: own, updates }
  }

  #message(): string {
    return `${this.#parts.name}, change ${++this.#made}`
  }
}

/** Of several refs, as the push is atomic, all or none. */
export function outcomeOf({ code, stdout }: { readonly code: number; readonly stdout: string }): Push['outcome'] {
  if (code === 0) return 'acknowledged'
  const refusals = stdout.split('\n').filter((line) => line.startsWith('!\t'))
  const isTold = refusals.length > 0 && refusals.every((line) => /\[(remote )?rejected\]/.test(line))
  return isTold ? 'refused' : 'unknown'
}

/** By the home, and not by git, which may learn of the other one before it asks. */
export function lostRace({ line, said }: Pick<Push, 'line' | 'said'>): boolean {
  return line === SHARED && said.includes('[remote rejected]')
}

function after(refs: Refs, updates: readonly RefUpdate[]): Refs {
  const next: Record<string, string> = { ...refs }
  for (const { ref, to } of updates) {
    if (to === undefined) delete next[ref]
    else next[ref] = to
  }
  return next
}

/** Ends early, and without an error, when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {})
}
