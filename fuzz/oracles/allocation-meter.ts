/**
 * Counts the bytes that a decoder asks for, whether it touches them or not: what a peer declares must not decide what
 * is allocated (I7). The system's own count would miss memory that was never written to.
 */
import { GutsError } from '../../src/errors.ts'

export class AllocationError extends GutsError<{
  readonly code: 'allocation_over_budget'
  readonly bytes: number
  readonly budgetBytes: number
}> {}

let spentBytes = 0
let budgetBytes = Number.POSITIVE_INFINITY
let isInstalled = false

/** @throws AllocationError at the allocation that goes over the budget, or at the end where that was swallowed */
export function withinBudget<T>(bytes: number, work: () => T): T {
  if (!isInstalled) install()
  spentBytes = 0
  budgetBytes = bytes
  try {
    const result = work()
    if (spentBytes > bytes) throw overBudget()
    return result
  } finally {
    budgetBytes = Number.POSITIVE_INFINITY
  }
}

/** As `withinBudget`; nothing else is to go on meanwhile. */
export async function withinBudgetLater<T>(bytes: number, work: () => Promise<T>): Promise<T> {
  if (!isInstalled) install()
  spentBytes = 0
  budgetBytes = bytes
  try {
    const result = await work()
    if (spentBytes > bytes) throw overBudget()
    return result
  } finally {
    budgetBytes = Number.POSITIVE_INFINITY
  }
}

function spend(bytes: number): void {
  spentBytes += bytes
  if (spentBytes > budgetBytes) throw overBudget()
}

function overBudget(): AllocationError {
  return new AllocationError(
    { code: 'allocation_over_budget', bytes: spentBytes, budgetBytes },
    `The decoder asked for ${spentBytes} bytes; what it was given is worth ${budgetBytes}`,
  )
}

/** At the first use: who only loads a target is not metered. */
function install(): void {
  isInstalled = true
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
    const original = Buffer[name] as (size: number, ...rest: unknown[]) => Buffer<ArrayBuffer>
    Buffer[name] = (size: number, ...rest: unknown[]): Buffer<ArrayBuffer> => {
      spend(size)
      return original(size, ...rest)
    }
  }

  for (const name of ['Float64Array', 'Int32Array', 'Uint32Array', 'Uint8Array'] as const) {
    const original = globalThis[name]
    const metered: typeof original = new Proxy(original, {
      construct(target, parameters: unknown[], newTarget): object {
        const [size] = parameters
        if (typeof size === 'number') spend(size * target.BYTES_PER_ELEMENT)
        return Reflect.construct(target, parameters, newTarget === metered ? target : newTarget) as object
      },
    })
    Object.assign(globalThis, { [name]: metered })
  }
}
