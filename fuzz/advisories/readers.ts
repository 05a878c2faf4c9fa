/** The shipped decoders that published defects are tried on: how each answers, and how its fuzz targets are given the same. */
import { GutsError } from '../../src/errors.ts'
import { KINDS } from '../targets/object.fuzz.ts'
import { readHistory, readTips } from './read-history.ts'
import { readDelta, readEntryHeader, readObject, readPackBytes } from './read-objects.ts'
import { readBitmap, readCommitGraph, readEwah, readPackIndex } from './read-stores.ts'
import {
  readCapabilities,
  readFetch,
  readFetchV2,
  readPktLines,
  readPush,
  readRefName,
  readSparse,
} from './read-requests.ts'
import { packOfDelta } from './makers.ts'

export interface Reader {
  /** In a few words, for the page. */
  readonly reads: string
  /** @returns the code of a refusal that is none of an error's; @throws GutsError the shipped decoder's refusal */
  read(bytes: Buffer): string | undefined
  /** Fuzz target → the input that makes it read the same. */
  readonly targets: Readonly<Record<string, (bytes: Buffer) => Buffer>>
}

/** @param first what the target's first byte must be; letters and `@` so that inputs can be read */
const behind =
  (first: number | string) =>
  (bytes: Buffer): Buffer =>
    Buffer.concat([typeof first === 'number' ? Buffer.of(first) : Buffer.from(first, 'latin1'), bytes])
const asItIs = (bytes: Buffer): Buffer => bytes

/** A pack as it is, alone and behind the flush that ends a push's commands. */
const PACK_TARGETS = { pack: behind('@'), 'receive-pack': behind('@0000') }

function objectReader(kind: string): Reader {
  return {
    reads: `a ${kind}`,
    read: (bytes) => readObject(kind, bytes),
    targets: { object: behind(KINDS.indexOf(kind)) },
  }
}

export const READERS = {
  pack: { reads: 'a pack', read: readPackBytes, targets: PACK_TARGETS },
  /** Two bytes of the base's length, and the delta. */
  delta: {
    reads: 'a delta',
    read: readDelta,
    targets: {
      delta: behind('\x01'),
      ...Object.fromEntries(
        Object.entries(PACK_TARGETS).map(([name, wrap]) => [name, (bytes: Buffer) => wrap(packOfDelta(bytes))]),
      ),
    },
  },
  entryHeader: { reads: 'an entry header', read: readEntryHeader, targets: { 'entry-header': behind(0) } },
  commit: objectReader('commit'),
  tree: objectReader('tree'),
  tag: objectReader('tag'),
  gitmodules: objectReader('gitmodules'),
  gitattributes: objectReader('gitattributes'),
  /** A pack, from whose last object all others are reached. */
  history: { reads: 'a pack, and a walk over it', read: readHistory, targets: PACK_TARGETS },
  /** A pack that is too large for the fuzzer's limits. */
  longHistory: { reads: 'a large pack, and a walk over it', read: readTips, targets: {} },
  pktLines: { reads: 'lines', read: readPktLines, targets: { 'pkt-line': asItIs } },
  push: { reads: 'a push', read: readPush, targets: { 'receive-pack': behind('@') } },
  fetch: { reads: 'a fetch', read: readFetch, targets: { 'upload-pack': behind('@') } },
  fetchV2: { reads: 'a request of version 2', read: readFetchV2, targets: { 'upload-pack': behind('D') } },
  capabilities: { reads: 'capabilities', read: readCapabilities, targets: { capabilities: asItIs } },
  refName: { reads: 'a name of a ref', read: readRefName, targets: { 'ref-name': asItIs } },
  /** Patterns, 0xff, a path. */
  sparse: { reads: 'patterns and a path', read: readSparse, targets: { sparse: asItIs } },
  packIndex: { reads: 'a pack index', read: readPackIndex, targets: { 'pack-index': asItIs } },
  /** Two bytes of how many bits there may be, and the set. */
  ewah: { reads: 'a bit set', read: readEwah, targets: { ewah: asItIs } },
  /** A byte of how many objects the pack has, and the file without its checksum. */
  bitmap: {
    reads: 'a bitmap file',
    read: readBitmap,
    targets: { bitmap: (bytes) => behind(2 * bytes.readUInt8(0) + 1)(bytes.subarray(1)) },
  },
  /** Without its checksum. */
  commitGraph: { reads: 'a commit-graph', read: readCommitGraph, targets: { 'commit-graph': behind('A') } },
} as const satisfies Record<string, Reader>

export type ReaderName = keyof typeof READERS

/** @returns `accepted`, or the code of the refusal. @throws what is no refusal */
export function outcomeOf(reader: ReaderName, bytes: Buffer): string {
  try {
    return READERS[reader].read(bytes) ?? 'accepted'
  } catch (error) {
    if (error instanceof GutsError) return (error as GutsError<{ readonly code: string }>).detail.code
    throw error
  }
}
