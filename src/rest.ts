export const REST = {
  /** How often it is looked what the process has done. */
  lookMs: 10_000,
  /**
   * Of processor time, all threads, between two looks: a tenth of one processor. A node that is asked for its metrics
   * twice a second takes up to half of this.
   */
  cpuMsMax: 1_000,
  /**
   * So many looks one after another have to find that. What is given back has to come again with the next work: a node
   * that had collected after one such look, because another host was measured in between, answered 7,200 listings a second
   * where one that had not answered 11,000.
   */
  looks: 6,
} as const

/**
 * Lets collect what work has left, once the process has had nothing to do for a minute. V8 collects when something is
 * asked of it, and takes up to 64 MiB of buffers more until it does: a node at rest would keep what the last pushes came
 * in (`npm run soak` found 40 to 140 MiB of buffers, of which 70 were in use). At work nothing is different.
 *
 * @param collect called once after each time of work
 * @param cpuMs of all threads since the process began
 * @returns ends it
 */
export function collectAtRest(collect: () => void, cpuMs: () => number = processCpuMs): () => void {
  let lastMs = cpuMs()
  // Starting is work.
  let quietLooks = 0
  const look = (): void => {
    const nowMs = cpuMs()
    quietLooks = nowMs - lastMs < REST.cpuMsMax ? quietLooks + 1 : 0
    lastMs = nowMs
    if (quietLooks === REST.looks) collect()
  }
  const timer = setInterval(look, REST.lookMs).unref()
  return () => clearInterval(timer)
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
