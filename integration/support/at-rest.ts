/** After a client is gone a node holds what it held before (I8). */
import { expect, vi } from 'vitest'
import { type Held, heldBy } from './held.ts'
import type { NodeProcess } from './node-process.ts'

const WAIT = { timeout: 20_000, interval: 25 }

export async function expectAtRest(node: NodeProcess, rest: Held): Promise<void> {
  await vi.waitFor(async () => expect(await heldBy(node)).toEqual(rest), WAIT)
}
