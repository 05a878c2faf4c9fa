/** A real node does everything that writes, and what it does to its disk and its database is recorded. */
import { join } from 'node:path'
import type { NodeData } from '../../src/node-data.ts'
import type { RunningNode } from '../../src/node.ts'
import { prepareDataDirectory } from '../../src/storage/data-directory.ts'
import { createUserHere, startNodeHere } from '../support/node-in-process.ts'
import { Client } from './client.ts'
import type { Tree } from './disk-model.ts'
import type { Operation } from './operations.ts'
import { repositoriesIn } from './repositories-in.ts'
import { CommitRecorder, RecordingDisk, type Step } from './trace.ts'

/** The folders of a new data directory that are written through the file-system port. */
const NEW_DATA: Tree = new Map(['repositories', 'quarantine', 'trash'].map((name) => [name, new Map()]))

export interface Recording {
  readonly operations: readonly Pick<Operation, 'name'>[]
  /** What was there, durably, before the first step. */
  readonly initial: Tree
  readonly steps: readonly Step[]
  /** Before the first operation, and after each. */
  readonly worlds: readonly string[]
  /** The requests, to be made again. */
  readonly requests: readonly ((node: RunningNode) => Promise<void>)[]
  readonly client: Client
}

/** @param folder empty; what is recorded needs it */
export async function record(folder: string, operations: readonly Operation[]): Promise<Recording> {
  const dataDirectory = join(folder, 'recorded')
  await prepareDataDirectory(dataDirectory)
  const disk = new RecordingDisk(dataDirectory)
  const node = await startNodeHere(dataDirectory, disk)
  try {
    const client = new Client(folder, await createUserHere(node, 'alice'))
    const { database, paths } = node.data
    using _commits = new CommitRecorder(database, paths.database, disk.steps, join(folder, 'databases'))
    const worlds = [await worldOf(node.data)]
    const requests: Recording['requests'][number][] = []
    for (const [number, operation] of operations.entries()) {
      const request = await operation.prepare(client, node)
      disk.steps.push({ kind: 'asked', operation: number })
      await request(node)
      disk.steps.push({ kind: 'acknowledged', operation: number })
      requests.push(request)
      worlds.push(await worldOf(node.data))
    }
    await node.stop()
    return { operations, initial: NEW_DATA, steps: [...disk.steps], worlds, requests, client }
  } finally {
    await node.stop()
  }
}

/** @returns numbers of the steps after which an operation may crash: from the first to the last */
export function rangeOf({ steps }: Pick<Recording, 'steps'>, operation: number): [number, number] {
  const begins = steps.flatMap((step, at) => (step.kind === 'asked' ? [at] : []))
  const [from = 0, to = steps.length] = begins.slice(operation)
  return [from + 1, to]
}

/** Every repository with where its HEAD points and its refs, as the node has them. */
export async function worldOf({ database, refs }: Pick<NodeData, 'database' | 'refs'>): Promise<string> {
  const rows = await repositoriesIn(database)
  const lines = rows.flatMap(({ id, owner, name }) => {
    const { head, refs: pointers } = refs.snapshot(id)
    return [`${owner}/${name} ${head}`, ...pointers.map((ref) => `${ref.oid} ${ref.name}`)]
  })
  return lines.join('\n')
}
