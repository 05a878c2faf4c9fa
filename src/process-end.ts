/** What ends the process: a first signal or uncaught error in order, a second one or the deadline at once. */
import type { Logging } from './observability/logging.ts'

export interface EndOptions {
  readonly logging: Logging
  /** Ends everything in order. */
  stop(): Promise<void>
  /** It may take so long. */
  readonly stopMsMax: number
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const
const ERRORS = ['uncaughtException', 'unhandledRejection'] as const
/** A reader of our output that went away must not hold up the end. */
const FLUSH_MS_MAX = 2_000

/**
 * Listens for what ends the process; exits with 0 after a signal, with 1 after an error or where the end was not in
 * order. No line is lost or overtaken by a later one: what is being written when a process exits may be both, so each
 * end waits for it.
 *
 * @returns a function that listens no more
 */
export function endProcessInOrder({ logging, stop, stopMsMax }: EndOptions): () => void {
  const { logger } = logging
  let isEnding = false
  const exit = async (code: number): Promise<void> => {
    await flushInTime(logging)
    process.exit(code)
  }
  const begin = async (code: number): Promise<void> => {
    isEnding = true
    setTimeout(() => {
      logger.error('The process did not stop in time and is ended')
      void exit(1)
    }, stopMsMax)
    try {
      await stop()
    } catch (err) {
      logger.error({ err }, 'The process did not stop in order')
      return exit(1)
    }
    return exit(code)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isEnding) {
      logger.warn({ signal }, 'A second signal ends the process at once')
      void exit(1)
      return
    }
    logger.info({ signal }, 'A signal asks the process to stop')
    void begin(0)
  }
  const onError = (err: unknown): void => {
    if (isEnding) {
      logger.error({ err }, 'A second error ends the process at once')
      void exit(1)
      return
    }
    logger.error({ err }, 'An error that nobody caught; the process stops')
    void begin(1)
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  for (const name of ERRORS) process.on(name, onError)
  return () => {
    for (const name of SIGNALS) process.off(name, onSignal)
    for (const name of ERRORS) process.off(name, onError)
  }
}

/** Waits until everything logged so far was written, but not for ever. */
export async function flushInTime(logging: Logging): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, FLUSH_MS_MAX)
  await Promise.race([logging.flush().catch(() => {}), late])
  clearTimeout(timer)
}
