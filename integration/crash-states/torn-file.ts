/** What may be left of a file's contents that were written and not synced. */

/** What disks write whole; pages are multiples of it. */
const SECTOR_BYTES = 512

/**
 * Every sector is old or new by itself, or zero where the file was made longer; and the file may end at a sector's
 * edge. All combinations would be too many: here are those at the ends and in the middle.
 *
 * @returns each once; first all of what was written, then nothing of it
 */
export function contentsAfterCrash(durable: Buffer, live: Buffer): Buffer[] {
  const found = new Map<string, Buffer>()
  const add = (content: Buffer): void => void found.set(content.toString('latin1'), content)
  add(live)
  add(durable)
  const dirty = dirtySectors(durable, live)
  const [first = 0] = dirty
  const last = dirty.at(-1) ?? 0
  const middle = dirty[Math.floor(dirty.length / 2)] ?? 0
  add(mixed(durable, live, () => false))
  add(mixed(durable, live, (sector) => sector !== first))
  add(mixed(durable, live, (sector) => sector !== last))
  add(mixed(durable, live, (sector) => sector === last))
  for (const sector of [first + 1, middle, last]) {
    const end = sector * SECTOR_BYTES
    if (end >= durable.length && end < live.length) add(live.subarray(0, end))
  }
  return [...found.values()]
}

function dirtySectors(durable: Buffer, live: Buffer): number[] {
  const count = Math.ceil(live.length / SECTOR_BYTES)
  const numbers = Array.from({ length: count }, (_, sector) => sector)
  return numbers.filter((sector) => {
    const [start, end] = [sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES]
    return !durable.subarray(start, end).equals(live.subarray(start, end))
  })
}

/** As long as the new one; of sectors that are not kept the old bytes, or zeros where there were none. */
function mixed(durable: Buffer, live: Buffer, isKept: (sector: number) => boolean): Buffer {
  const content = Buffer.alloc(live.length)
  durable.copy(content)
  for (const sector of dirtySectors(durable, live)) {
    const start = sector * SECTOR_BYTES
    if (isKept(sector)) live.copy(content, start, start, start + SECTOR_BYTES)
  }
  return content
}
