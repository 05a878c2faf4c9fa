/** Resident memory by kind, from the kernel's list of a process's mappings (proc_pid_smaps(5)). */

/** Bytes that are resident. */
export interface MappedBytes {
  /** Of glibc's allocator: what grows by brk(2). */
  readonly mainArena: number
  /** Of the same, for threads: pieces of 64 MiB, each at a multiple of that. */
  readonly otherArenas: number
  /** All else that has no file: heaps of V8, and buffers that are too large for an arena. */
  readonly anonymous: number
  readonly stacks: number
  /** The program, its libraries, the database's shared memory. */
  readonly files: number
  /** Of those, what the kernel can drop at any time, as it lies on disk too. */
  readonly cleanFiles: number
}

interface Mapping {
  readonly start: number
  readonly end: number
  readonly access: string
  readonly path: string
  resident: number
  clean: number
}

const KIBIBYTE = 1024
const ARENA_PIECE_BYTES = 64 * 2 ** 20
const GUARD_BYTES = 4 * KIBIBYTE
/** Of threads of Node, of workers, and of what others begin; with and without the guard. */
const STACK_BYTES = [8 * 2 ** 20, 4 * 2 ** 20].flatMap((bytes) => [bytes, bytes - GUARD_BYTES])

export function mappedBytes(smaps: string): MappedBytes {
  const mappings = mappingsOf(smaps)
  const bytes = { mainArena: 0, otherArenas: 0, anonymous: 0, stacks: 0, files: 0, cleanFiles: 0 }
  for (const [at, mapping] of mappings.entries()) {
    const kind = kindOf(mapping, mappings[at - 1], mappings[at + 1])
    bytes[kind] += mapping.resident
    if (kind === 'files') bytes.cleanFiles += mapping.clean
  }
  return bytes
}

function mappingsOf(smaps: string): Mapping[] {
  const mappings: Mapping[] = []
  for (const line of smaps.split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)$/.exec(line)
    if (head !== null) {
      const [, start = '', end = '', access = '', path = ''] = head
      mappings.push({ start: Number(`0x${start}`), end: Number(`0x${end}`), access, path, resident: 0, clean: 0 })
      continue
    }
    const [, name, kibibytes] = /^(\w+):\s+(\d+) kB$/.exec(line) ?? []
    const last = mappings.at(-1)
    if (last === undefined) continue
    if (name === 'Rss') last.resident += Number(kibibytes) * KIBIBYTE
    if (name === 'Shared_Clean' || name === 'Private_Clean') last.clean += Number(kibibytes) * KIBIBYTE
  }
  return mappings
}

function kindOf(
  { start, end, path }: Mapping,
  previous: Mapping | undefined,
  next: Mapping | undefined,
): Exclude<keyof MappedBytes, 'cleanFiles'> {
  if (path.startsWith('/')) return 'files'
  if (path === '[heap]') return 'mainArena'
  if (path.startsWith('[')) return 'stacks'
  const isPiece = start % ARENA_PIECE_BYTES === 0
  const restOfPiece = next?.start === end && next.access === '---p' && next.end % ARENA_PIECE_BYTES === 0
  if (isPiece && (restOfPiece || end - start === ARENA_PIECE_BYTES)) return 'otherArenas'
  const isGuarded = previous?.end === start && previous.access === '---p' && start - previous.start === GUARD_BYTES
  return isGuarded && STACK_BYTES.includes(end - start) ? 'stacks' : 'anonymous'
}
