import { pause } from './pusher.ts'

/** How long somebody waits for somebody else. */
const PATIENCE_MS = 600

/** Two who come to it go on at the same moment, so that they race; who waits in vain goes on alone. */
export class Meeting {
  #waiting: (() => void) | undefined

  async meet(signal: AbortSignal): Promise<void> {
    const other = this.#waiting
    if (other !== undefined) {
      this.#waiting = undefined
      other()
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting = resolve
    await Promise.race([promise, pause(PATIENCE_MS, signal)])
    if (this.#waiting === resolve) this.#waiting = undefined
  }
}
