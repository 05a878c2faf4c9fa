import { getHeapStatistics } from 'node:v8'
import { collectGarbage } from '../../collect-garbage.ts'

/** Less is not worth the time that collecting takes, which is that of many small tasks. */
const LEFT_BYTES_MIN = 32 * 1024 * 1024

/** Of this thread, when it last was collected. */
let keptBytes = 0

/**
 * After a task: collects what tasks have left in this thread, where that is much. A thread that has nothing to do collects
 * nothing by itself, and would keep it while the next task runs in another one.
 */
export function collectWhereMuchIsLeft(): void {
  if (heldBytes() - keptBytes >= LEFT_BYTES_MIN) collectAll()
}

/** Whatever tasks have left in this thread. */
export function collectAll(): void {
  collectGarbage()
  keptBytes = heldBytes()
}

function heldBytes(): number {
  const { used_heap_size: heapBytes, external_memory: externalBytes } = getHeapStatistics()
  return heapBytes + externalBytes
}
