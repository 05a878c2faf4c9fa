/** How much memory a process has, by the kernel's count, which knows buffers outside V8's heap, too. */
import { readFileSync, writeFileSync } from 'node:fs'

/** Resident now. @returns 0 where the kernel does not say, or the process is gone */
export function residentMb(pid: number): number {
  return read(`${pid}`, 'VmRSS')
}

/** How much this process grew at most since this was made, also when it gave all of it back. */
export class Growth {
  readonly #beforeMb: number

  constructor() {
    // From here on the most is what is resident now (proc_pid_clear_refs(5)).
    try {
      writeFileSync('/proc/self/clear_refs', '5')
    } catch {
      // Where that cannot be, earlier peaks count as what was there before: less is seen, and nothing that was not.
    }
    this.#beforeMb = read('self', 'VmHWM')
  }

  get mostMb(): number {
    return read('self', 'VmHWM') - this.#beforeMb
  }
}

function read(process: string, name: string): number {
  let status: string
  try {
    status = readFileSync(`/proc/${process}/status`, 'latin1')
  } catch {
    return 0
  }
  return Number(new RegExp(`^${name}:\\s+([0-9]+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1_024
}
