/** Clones as somebody would who looks around among the nodes, and has git look at what it got. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fsck, Git } from '../../integration/support/git.ts'
import type { Clone, NodeName } from '../history.ts'

export interface CloneParts {
  readonly node: NodeName
  readonly repository: string
  readonly url: string
  readonly folder: string
  readonly nowMs: () => number
}

export async function cloneOnce({ node, repository, url, folder, nowMs }: CloneParts): Promise<Clone> {
  const beganMs = nowMs()
  const path = join(folder, 'clone.git')
  try {
    const cloned = await new Git(folder).try(['clone', '--quiet', '--mirror', url, path])
    const problem = cloned.code === 0 ? await problemIn(path) : cloned.stderr.trim()
    return { node, repository, beganMs, endedMs: nowMs(), problem }
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

/** @returns undefined where git finds nothing */
export function problemIn(gitDirectory: string): Promise<string | undefined> {
  return fsck(gitDirectory).then(
    () => undefined,
    (error: unknown) => String(error),
  )
}
