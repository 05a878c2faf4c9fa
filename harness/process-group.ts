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
  const end = (): void => killGroup(child)
  signal.addEventListener('abort', end)
  // First of all that comes then: it is what still writes into folders that go, too.
  process.prependListener('exit', end)
  return {
    [Symbol.dispose]() {
      signal.removeEventListener('abort', end)
      process.off('exit', end)
    },
  }
}
