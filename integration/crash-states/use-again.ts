import { fsckAll } from '../support/git.ts'
import { startNodeHere } from '../support/node-in-process.ts'
import { join } from 'node:path'
import { type Recording, worldOf } from './record.ts'

/**
 * Starts a node on what a crash left, and goes on as people would: what was asked for is asked for again, where it did
 * not come about, and then something else is pushed.
 *
 * @param world what a recovery was seen to make of it
 * @returns what is wrong; none: all is well
 */
export async function useAgain(
  { worlds, requests, client }: Recording,
  { operation, world }: { readonly operation: number; readonly world: string },
  root: string,
): Promise<string[]> {
  const node = await startNodeHere(root)
  try {
    const found = await worldOf(node.data)
    if (found !== world) return [`a node makes another state of it:\n${found}\ninstead of\n${world}\n`]
    const wanted = worlds[operation + 1] ?? ''
    if (world === worlds[operation]) {
      await requests[operation]?.(node)
      const repeated = await worldOf(node.data)
      if (repeated !== wanted) return [`asked again, it came to:\n${repeated}\ninstead of\n${wanted}\n`]
    }
    await fsckAll(join(root, 'repositories'))
    if (wanted === '') await client.create(node)
    await client.push(node, 'refs/heads/main:refs/heads/after-the-crash')
    await fsckAll(join(root, 'repositories'))
    return []
  } catch (error) {
    return [`going on failed: ${error instanceof Error ? error.message : String(error)}`]
  } finally {
    await node.stop()
  }
}
