import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { dataPaths } from '../../src/storage/data-directory.ts'
import { type CrashState, crashStates } from './enumerate.ts'
import type { Recording } from './record.ts'
import { materialise, recover } from './recovery.ts'
import { CommitRecorder, RecordingDisk, type Step } from './trace.ts'

/**
 * The start after a crash writes, too, and may be cut off. Recorded is the one that has most to do: right after the
 * acknowledgement the power went, and all that was not synced is lost.
 *
 * @param folder does not exist yet
 * @returns its one operation leaves the world as it was
 */
export async function recordStart(recording: Recording, operation: number, folder: string): Promise<Recording> {
  const crash = allLostAfter(recording, operation)
  const root = join(folder, 'recorded')
  mkdirSync(folder)
  materialise(crash, root)
  const disk = new RecordingDisk(root)
  const asked: Step = { kind: 'asked', operation: 0 }
  using stack = new DisposableStack()
  const { world } = await recover(root, disk, (database) => {
    const copies = join(folder, 'databases')
    stack.use(new CommitRecorder(database, dataPaths(root).database, disk.steps, copies))
    disk.steps.push(asked)
  })
  return {
    operations: [{ name: `start after: ${recording.operations[operation]?.name}` }],
    initial: crash.tree,
    steps: [...disk.steps],
    worlds: [world, world],
    requests: [async () => {}],
    client: recording.client,
  }
}

function allLostAfter({ steps, initial }: Recording, operation: number): CrashState {
  const point = steps.findIndex((step) => step.kind === 'acknowledged' && step.operation === operation) + 1
  const options = { initial, statesPerPointMax: 2, seed: 0, between: [point, point] } as const
  const states = [...crashStates(steps, options)]
  const lost = states.at(-1)
  if (lost === undefined) throw new Error(`No crash after operation ${operation}`)
  return lost
}
