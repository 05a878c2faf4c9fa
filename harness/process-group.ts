import type { ChildProcess } from 'node:child_process'
import { hasErrorCode } from '../src/errors.ts'

/** Kills every process of the group that this child leads (`detached`); that it is gone already is fine. */
export function killGroup({ pid }: Pick<ChildProcess, 'pid'>): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!hasErrorCode(error, 'ESRCH')) throw error
  }
}

/** Until it is disposed of, the group ends with the signal and with this process. */
export function groupEndsWith(child: Pick<ChildProcess, 'pid'>, signal: AbortSignal): Disposable {
  return whileItRuns(child, signal, () => killGroup(child))
}

/**
 * As above, where the leader saves what it has when it is asked to end. On the signal it is asked, and has its time, until
 * this process ends, as by a second signal; what is left of its group ends when this is disposed of.
 */
export function groupEndsAfter(child: Pick<ChildProcess, 'pid' | 'kill'>, signal: AbortSignal): Disposable {
  const running = whileItRuns(child, signal, () => child.kill('SIGTERM'))
  return {
    [Symbol.dispose]() {
      running[Symbol.dispose]()
      if (signal.aborted) killGroup(child)
    },
  }
}

function whileItRuns(child: Pick<ChildProcess, 'pid'>, signal: AbortSignal, onAbort: () => void): Disposable {
  const end = (): void => killGroup(child)
  signal.addEventListener('abort', onAbort)
  // First of all that comes then: it is what still writes into folders that go, too.
  process.prependListener('exit', end)
  return {
    [Symbol.dispose]() {
      signal.removeEventListener('abort', onAbort)
      process.off('exit', end)
    },
  }
}
