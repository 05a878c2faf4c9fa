/** Clones as somebody would who looks around among the nodes, and has git look at what it got. */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fsck, Git } from '../../integration/support/git.ts'
import type { Clone, CloneProblem, NodeName, Read, Refs } from '../history.ts'

/** It takes less than a second. */
const CLONE_MS_MAX = 30_000

export interface CloneParts {
  readonly node: NodeName
  readonly repository: string
  readonly url: string
  /** Where nothing is yet. */
  readonly path: string
  readonly nowMs: () => number
  readonly signal: AbortSignal
  /** Instead of the usual one. */
  readonly msMax?: number
}

export interface Cloned {
  readonly clone: Clone
  /** The refs that it got; undefined where it got nothing. */
  readonly read: Read | undefined
}

/** @returns undefined where it was broken off */
export async function cloneOnce(parts: CloneParts): Promise<Cloned | undefined> {
  const { node, repository, url, path, nowMs, signal, msMax = CLONE_MS_MAX } = parts
  const beganMs = nowMs()
  const timeout = AbortSignal.timeout(msMax)
  try {
    const args = ['clone', '--quiet', '--mirror', url, path]
    const { code, stderr } = await new Git(dirname(path)).try(args, undefined, AbortSignal.any([signal, timeout]))
    if (signal.aborted) return undefined
    const transferredMs = nowMs()
    const whose = { node, repository, beganMs }
    if (code !== 0) {
      const problem: CloneProblem = { kind: timeout.aborted ? 'time-out' : 'transfer', text: stderr.trim() }
      return { clone: { ...whose, endedMs: transferredMs, problem }, read: undefined }
    }
    const refs = await refsIn(path)
    const text = await problemIn(path)
    const problem: CloneProblem | undefined = text === undefined ? undefined : { kind: 'fsck', text }
    return {
      clone: { ...whose, endedMs: nowMs(), problem },
      read: { ...whose, by: 'clone', endedMs: transferredMs, refs },
    }
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

/** Those of a repository on disk, as C git has them. */
export async function refsIn(gitDirectory: string): Promise<Refs> {
  const text = await new Git(gitDirectory).run('for-each-ref', '--format=%(objectname) %(refname)')
  const lines = text.split('\n').filter((line) => line !== '')
  return Object.fromEntries(lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]))
}

/** @returns undefined where git finds nothing */
export function problemIn(gitDirectory: string): Promise<string | undefined> {
  return fsck(gitDirectory).then(
    () => undefined,
    (error: unknown) => String(error),
  )
}
