/** Packs: what they declare, what their deltas stand on, how they end. */
import { deflateSync } from 'node:zlib'
import {
  blob,
  delta,
  ofsDelta,
  pack,
  rawDelta,
  rawEntry,
  refDelta,
  varint,
  whole,
} from '../../../integration/support/pack-maker.ts'
import { encodeEntryHeader } from '../../../src/git/pack/header.ts'
import { type Advisory, all } from '../advisory.ts'
import { chain, hex, OID } from '../makers.ts'

const base = blob('a base of some length')
const onBase = (result: string): Buffer => delta(base.data.length, result)

export const PACKS: readonly Advisory[] = [
  {
    name: 'CVE-2023-49568',
    of: ['go-git'],
    defect:
      "a server's answer that declares more than it has made clients ask for memory without end (GHSA-mw99-9chc-xw7r)",
    inputs: {
      ...all('pack', 'pack_objects_over_limit', { 'all objects there can be': () => pack([], 0xffffffff) }),
      ...all('pack', 'pack_truncated', { 'a thousand objects in no bytes': () => pack([], 1_000) }),
    },
  },
  {
    name: 'CVE-2026-25934',
    of: ['go-git'],
    defect: 'the checksums of packs and their indexes were not compared with their bytes (GHSA-37cx-329c-33x3)',
    inputs: {
      ...all('pack', 'pack_checksum_mismatch', {
        'another checksum': () => Buffer.concat([pack([whole(base)]).subarray(0, -20), Buffer.alloc(20)]),
      }),
      ...all('pack', 'entry_inflate_failed', {
        'a byte that the disk turned': () => {
          const bytes = pack([whole(base)])
          bytes.writeUInt8(bytes.readUInt8(bytes.length - 21) ^ 1, bytes.length - 21)
          return bytes
        },
      }),
    },
  },
  {
    name: 'GHSA-mpf5-465h-mr53',
    of: ['gitoxide'],
    defect: 'a distance to a base that lies before the pack ended the process',
    inputs: all('pack', 'delta_base_offset_invalid', {
      'before the first entry': () => pack([ofsDelta(1, onBase('x'))]),
      'before the pack': () => pack([whole(base), ofsDelta(1_000_000, onBase('x'))]),
      'into the middle of an entry': () => pack([whole(base), ofsDelta(whole(base).length - 1, onBase('x'))]),
    }),
  },
  {
    name: 'isomorphic-git, a distance of 0 (DESIGN §9)',
    of: ['isomorphic-git'],
    defect: 'a delta whose base is itself had it read the pack until the heap was full',
    inputs: all('pack', 'delta_base_offset_invalid', { 'a pack of 47 bytes': () => pack([ofsDelta(0, onBase('x'))]) }),
  },
  {
    name: 'src-d/go-git#134',
    of: ['go-git'],
    defect: 'a base that is not where its delta says was read through a null pointer (also #568, by name)',
    inputs: {
      ...all('pack', 'delta_base_offset_invalid', {
        'by distance': () => pack([whole(base), ofsDelta(7, onBase('x'))]),
      }),
      ...all('pack', 'delta_base_missing', { 'by name': () => pack([refDelta(OID, onBase('x'))]) }),
    },
  },
  {
    name: 'go-git/go-git#2113',
    of: ['go-git'],
    defect: 'type 5, which is reserved, was taken for an object, and chains of deltas had no end',
    inputs: {
      ...all('pack', 'entry_type_invalid', {
        'type 5': () => pack([rawEntry(5, Buffer.from('x'))]),
        'type 0': () => pack([rawEntry(0, Buffer.from('x'))]),
      }),
      ...all('pack', 'delta_too_deep', { 'one delta more than the limit': () => chain(21) }),
      ...all('pack', 'accepted', { 'as deep as the limit': () => chain(20) }),
      ...all('entryHeader', 'entry_type_invalid', { 'type 5 alone': () => hex('50') }),
    },
  },
  {
    name: 'git t5309',
    of: ['git'],
    defect: 'deltas that are based on each other in a circle are followed for ever, or by recursion',
    inputs: all('pack', 'delta_base_missing', {
      'two by name': () => {
        const [a, b] = [blob('an object'), blob('another one')]
        return pack([refDelta(b.oid, delta(b.data.length, a.data)), refDelta(a.oid, delta(a.data.length, b.data))])
      },
      'one by its own name': () => pack([refDelta(base.oid, onBase('a base of some length'))]),
    }),
  },
  {
    name: 'git t5308',
    of: ['git'],
    defect: 'an object twice in a pack led to searches in its index that did not end',
    inputs: {
      ...all('pack', 'object_duplicate', {
        'two whole ones': () => pack([whole(base), whole(base)]),
        'one as a delta': () => pack([whole(base), ofsDelta(whole(base).length, onBase('a base of some length'))]),
      }),
    },
  },
  {
    name: 'GitoxideLabs/gitoxide#2632',
    of: ['gitoxide'],
    defect: 'deltas that are small each were gigabytes together',
    inputs: all('pack', 'pack_inflated_over_limit', {
      'results of 64 KiB, 20 times': () => {
        const large = blob(Buffer.alloc(65_536, 1))
        const entries = [whole(large)]
        for (let at = 0; at < 20; at++) {
          const distance = entries.reduce((sum, { length }) => sum + length, 0)
          // A copy of all but the last byte, and one of its own.
          entries.push(ofsDelta(distance, rawDelta(65_536, 65_536, [0xb0, 0xff, 0xff, 1, at + 2])))
        }
        return pack(entries)
      },
    }),
  },
  {
    name: 'libgit2/libgit2#4432',
    of: ['libgit2'],
    defect: 'a pack without its checksum was read beyond its end',
    inputs: {
      ...all('pack', 'entry_inflate_failed', { 'no checksum': () => pack([whole(base)]).subarray(0, -20) }),
      ...all('pack', 'pack_truncated', {
        'a header alone': () => pack([]).subarray(0, 12),
        'a part of a header': () => pack([]).subarray(0, 7),
      }),
    },
  },
  {
    name: 'libgit2/libgit2#7177',
    of: ['libgit2'],
    defect: 'an object that claims to be smaller than it is was written beyond the memory for it',
    inputs: all('pack', 'entry_size_mismatch', {
      smaller: () => pack([whole(base, 5)]),
      'of no bytes': () => pack([whole(base, 0)]),
      larger: () => pack([whole(base, 60)]),
      'a delta': () =>
        pack([
          whole(base),
          Buffer.concat([
            encodeEntryHeader(6, 2),
            Buffer.of(whole(base).length),
            deflateSync(Buffer.concat([varint(base.data.length), hex('01 01 78')])),
          ]),
        ]),
    }),
  },
]
