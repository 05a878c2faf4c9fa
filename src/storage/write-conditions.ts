import { RequestError } from '../errors.ts'
import { newOperation, runInContext } from '../observability/context.ts'
import type { Logger } from '../observability/logging.ts'
import type { DiskSpace } from './disk-space.ts'
import type { Lease } from './lease.ts'
import type { Maintenance } from './maintenance.ts'
import type { WriteGate } from './write-gate.ts'

export interface WriteConditionsParts {
  readonly maintenance: Maintenance
  readonly diskSpace: DiskSpace
  readonly lease: Pick<Lease, 'held'>
  readonly logger: Logger
}

/** Nobody may notice a change later than two seconds after it (DESIGN §4.1). */
const LOOK_EVERY_MS = 1_000
const RETRY_S_MIN = 2
const RETRY_S_MAX = 300

const SENTENCES = {
  maintenance: 'The server is in maintenance and takes no changes; reading works',
  disk: 'The server is short of disk space and takes no changes; reading works',
  lease: 'The server does not hold the lease on its data and takes no changes; reading works',
} as const

type Reason = keyof typeof SENTENCES

/**
 * Keeps looking at what writing depends on, and closes the gate in time. A drain does not close it: what was begun
 * before finishes, and the listeners take nothing new.
 */
export class WriteConditions implements WriteGate {
  readonly #parts: WriteConditionsParts
  readonly #sinceMs = new Map<Reason, number>()
  #timer: NodeJS.Timeout | undefined
  #looking = false

  constructor(parts: WriteConditionsParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    await this.#look()
    this.#timer = setInterval(() => {
      runInContext(newOperation('write_conditions'), () => void this.#look())
    }, LOOK_EVERY_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  assertWritable(): void {
    const reason = this.#reason()
    if (reason === undefined) return
    throw new RequestError({ code: 'unavailable', retryAfterS: this.#retryAfterS(reason) }, SENTENCES[reason])
  }

  #reason(): Reason | undefined {
    const { maintenance, diskSpace, lease } = this.#parts
    if (maintenance.state.on) return 'maintenance'
    if (diskSpace.last.low) return 'disk'
    return lease.held ? undefined : 'lease'
  }

  /** How long the cause will last nobody knows: as long again as it has lasted is asked for often at first, then rarely. */
  #retryAfterS(reason: Reason): number {
    const sinceMs = this.#parts.maintenance.state.sinceMs ?? this.#sinceMs.get(reason) ?? Date.now()
    return Math.min(RETRY_S_MAX, Math.max(RETRY_S_MIN, Math.ceil((Date.now() - sinceMs) / 1_000)))
  }

  async #look(): Promise<void> {
    // A disk that hangs is asked once at a time.
    if (this.#looking) return
    this.#looking = true
    const { maintenance, diskSpace, logger } = this.#parts
    try {
      maintenance.look()
      const { freeBytes, limitBytes } = await diskSpace.look()
      this.#note({ freeBytes, limitBytes })
    } catch (error) {
      logger.error({ err: error }, 'Whether changes can be taken could not be found out')
    } finally {
      this.#looking = false
    }
  }

  #note(space: { freeBytes: number; limitBytes: number }): void {
    const reason = this.#reason()
    for (const known of this.#sinceMs.keys()) {
      if (known === reason) continue
      this.#sinceMs.delete(known)
      this.#parts.logger.info({ reason: known }, 'A reason to refuse changes is gone')
    }
    if (reason === undefined || this.#sinceMs.has(reason)) return
    this.#sinceMs.set(reason, Date.now())
    this.#parts.logger.warn({ reason, ...(reason === 'disk' ? space : {}) }, 'Changes are refused')
  }
}
