/** What worker threads do for requests, in this thread, where coverage sees it. */
import { runBuild, runDeepen, runMeasure, runNegotiate } from '../../src/transfer/workers/build-task.ts'
import { runIndex } from '../../src/transfer/workers/index-task.ts'
import { forgetStores, releaseStores } from '../../src/transfer/workers/open-stores.ts'
import { withServedFile } from '../../src/transfer/workers/remote-file.ts'
import type { TransferOptions } from '../../src/transfer/transfer.ts'

/** As `git.worker.ts` does it, but for the garbage. */
async function released<Result>(run: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await run()
  } finally {
    releaseStores()
  }
}

export const workersHere: TransferOptions['workers'] = {
  index: (task, { file, onProgress }) =>
    withServedFile(file, onProgress, (port) => released(() => runIndex({ ...task, port }))),
  build: (task, { file, onProgress }) =>
    withServedFile(file, onProgress, (port) => released(() => runBuild({ ...task, port }))),
  negotiate: (task) => released(() => runNegotiate(task)),
  deepen: (task) => released(() => runDeepen(task)),
  measure: (task) => released(() => runMeasure(task)),
}

/** What they know from earlier inputs. */
export { forgetStores as forgetWorkers }
