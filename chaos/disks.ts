/** What lies on a node's disk in the end: what it showed last, and whole. */
import type { History, NodeName, Read, Refs } from './history.ts'
import { problemIn, refsIn } from './workload/cloner.ts'

/** The last list of a repository that a node gave after healing. */
export function lastRead({ reads, healedMs }: History, node: NodeName, repository: string): Read | undefined {
  if (healedMs === undefined) return undefined
  const own = reads.filter((read) => read.by === 'list' && read.node === node && read.repository === repository)
  return own.filter(({ beganMs }) => beganMs >= healedMs).at(-1)
}

/** @returns undefined where nothing is wrong */
export async function problemOnDisk(gitDirectory: string, read: Read | undefined): Promise<string | undefined> {
  if (read === undefined) return 'nobody read it after healing, so what lies there says nothing'
  const refs = await refsIn(gitDirectory).catch((error: unknown) => String(error))
  if (typeof refs === 'string') return refs
  return differenceOf(refs, read.refs) ?? problemIn(gitDirectory)
}

function differenceOf(onDisk: Refs, listed: Refs): string | undefined {
  const names = [...new Set([...Object.keys(onDisk), ...Object.keys(listed)])]
  const name = names.find((ref) => onDisk[ref] !== listed[ref])
  if (name === undefined) return undefined
  return `${name} is ${onDisk[name] ?? 'not there'}, and was listed as ${listed[name] ?? 'not there'}`
}
