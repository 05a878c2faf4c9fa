import type { Environment } from './config/sources.ts'

/**
 * How glibc's allocator gives back what a node has freed (mallopt(3)). By itself it has eight arenas for each processor,
 * keeps up to 64 MiB in each of them, and takes buffers of up to 32 MiB from them after one of that size was freed. A node
 * whose threads have served 8 clones and 4 pushes of 160,000 objects held 505 MiB at rest, of which 208 were free
 * (`npm run soak`).
 */
export const ALLOCATOR_SETTINGS = {
  MALLOC_ARENA_MAX: '2',
  // What sockets are read into, and what Node cuts small buffers from, are of 64 KiB: in an arena the holes that they leave
  // never go back, as something small lies above each. To map buffers of 64 KiB costs 0.1 s of processor time in a push of
  // 45 MiB, of 4. From 16 KiB on would leave fewer holes still, but what libp2p encrypts lies just below 64: a mirror
  // took 542 and 545 ms for 50 MiB, and 465 with this one.
  MALLOC_MMAP_THRESHOLD_: String(2 ** 16),
  // A buffer is mapped only where it fits in no hole and not at an arena's end, however large it is. With an end of up to
  // 1 MiB, 53 of the 79 MiB that were in use in the arenas under that load were such buffers, and small things came to lie
  // above them. So an end has no place for one: it grows by 32 KiB more than is asked for, and is cut back to that from 64 on.
  MALLOC_TOP_PAD_: String(2 ** 15),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 16),
} as const

/**
 * The allocator reads its settings when a process begins. So this one begins once more, as the same process (execve(2)),
 * with the settings above, unless whoever started it gave some. Where there is no such call, or where a parent speaks to it by
 * Node's channel, which would be lost, nothing is done.
 */
export function beginWithAllocatorSettings(environment: Environment): void {
  const { execPath, execve } = process
  const given = Object.keys(ALLOCATOR_SETTINGS).some((name) => environment[name] !== undefined)
  if (given || process.platform !== 'linux' || process.channel !== undefined || execve === undefined) return
  execve.call(process, execPath, [execPath, ...process.execArgv, ...process.argv.slice(1)], {
    ...environment,
    ...ALLOCATOR_SETTINGS,
  })
}

/** glibc, by the name of its interface; musl, macOS and Windows have another one. */
const C_LIBRARY = 'libc.so.6'

/**
 * Gives the machine back what lies free in the allocator's arenas (malloc_trim(3)): by itself it gives back only what is
 * free at an arena's end. After 568 clones and 66 pushes of 45 MiB the arenas went from 95 to 56 MiB, and a node
 * held 15 MiB more than before; without this it was 57 and 63 (`npm run soak`). All threads that allocate wait meanwhile.
 *
 * @returns whether there is such a call
 * @throws Error where the package has nothing for this platform
 */
export async function trimArenas(): Promise<boolean> {
  const { default: koffi } = await import('koffi')
  let library: ReturnType<typeof koffi.load>
  try {
    library = koffi.load(C_LIBRARY)
  } catch {
    return false
  }
  library.func('int malloc_trim(size_t)')(0)
  return true
}
