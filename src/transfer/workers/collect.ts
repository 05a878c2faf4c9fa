import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Tasks of fewer objects leave nothing worth the time that collecting takes. */
const OBJECTS_MIN = 20_000

let collect: (() => void) | undefined

/**
 * After a large task: collects what it left. A thread that has nothing to do collects nothing by itself, and would keep
 * tens of megabytes of buffers while the next task runs in another one.
 *
 * @param objects that the task went through
 */
export function collectAfter(objects: number): void {
  if (objects < OBJECTS_MIN) return
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
