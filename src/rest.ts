export const REST = {
  /** How often it is looked what the process has done. */
  lookMs: 10_000,
  /**
   * Of processor time, all threads, between two looks: a tenth of one processor. A node that is asked for its metrics
   * twice a second takes up to half of this.
   */
  cpuMsMax: 1_000,
} as const

/**
 * Lets collect what work has left, once the process has nothing to do. V8 collects when something is asked of it, and takes
 * up to 64 MiB of buffers more until it does: a node at rest would keep what the last pushes came in (`npm run soak`
 * found 40 to 140 MiB of buffers, of which 70 were in use). At work nothing is different.
 *
 * @param collect called once after each time of work
 * @param cpuMs of all threads since the process began
 * @returns ends it
 */
export function collectAtRest(collect: () => void, cpuMs: () => number = processCpuMs): () => void {
  let lastMs = cpuMs()
  // Starting is work.
  let hasWorked = true
  const look = (): void => {
    const nowMs = cpuMs()
    const isAtRest = nowMs - lastMs < REST.cpuMsMax
    lastMs = nowMs
    if (isAtRest && hasWorked) collect()
    hasWorked = !isAtRest
  }
  const timer = setInterval(look, REST.lookMs).unref()
  return () => clearInterval(timer)
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
