/** What a node's resident memory is made of: by the kernel's list of its mappings, and by what the node says of its heap. */
import { readFileSync } from 'node:fs'
import type { NodeProcess } from '../../integration/support/node-process.ts'
import { ask } from '../../integration/support/raw-http.ts'
import { mappedBytes, type MappedBytes } from './mappings.ts'

export interface MemoryState {
  readonly residentBytes: number
  readonly mapped: MappedBytes
  /** Of the main thread, as the node's own metrics have it; worker threads have heaps of their own. */
  readonly heapBytes: number
  readonly heapUsedBytes: number
  /** Buffers that the main thread's heap refers to, garbage that was not collected yet among them. */
  readonly externalBytes: number
  /** Of all threads, since the node began. */
  readonly cpuSeconds: number
}

const MEBIBYTE = 2 ** 20

export async function memoryOf({ pid, ports }: NodeProcess): Promise<MemoryState> {
  const metrics = (await ask(ports.internal, { path: '/metrics' })).body.toString()
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1])
  const mapped = mappedBytes(readFileSync(`/proc/${pid}/smaps`, 'latin1'))
  return {
    residentBytes: mapped.mainArena + mapped.otherArenas + mapped.anonymous + mapped.stacks + mapped.files,
    mapped,
    heapBytes: value('nodejs_heap_size_total_bytes'),
    heapUsedBytes: value('nodejs_heap_size_used_bytes'),
    externalBytes: value('nodejs_external_memory_bytes'),
    cpuSeconds: value('process_cpu_seconds_total'),
  }
}

/** One line. */
export function memoryText({ residentBytes, mapped, ...heap }: MemoryState): string {
  const kinds = [
    `arenas ${mib(mapped.mainArena)} + ${mib(mapped.otherArenas)}`,
    `heaps and large buffers ${mib(mapped.anonymous)}`,
    `stacks ${mib(mapped.stacks)}`,
    `files ${mib(mapped.files)} (clean ${mib(mapped.cleanFiles)})`,
  ]
  const main = `heap ${mib(heap.heapUsedBytes)} of ${mib(heap.heapBytes)}, buffers ${mib(heap.externalBytes)}`
  return `${mib(residentBytes)} MiB: ${kinds.join(', ')}; main thread: ${main}`
}

/** Which kinds have grown, the most first, so that a finding says where to look. */
export function grownKinds(before: MemoryState, after: MemoryState): string {
  const { cleanFiles: _, ...kinds } = after.mapped
  return Object.entries(kinds)
    .map(([kind, bytes]) => ({
      kind,
      grown: Math.round((bytes - before.mapped[kind as keyof MappedBytes]) / MEBIBYTE),
    }))
    .filter(({ grown }) => grown !== 0)
    .sort((a, b) => b.grown - a.grown)
    .map(({ kind, grown }) => `${kind} ${grown > 0 ? '+' : ''}${grown}`)
    .join(', ')
}

function mib(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(0)
}
