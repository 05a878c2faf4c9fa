/** The one list of fuzz targets: what each reads, which shipped code it must drive, and what its bytes are made of. */

export interface FuzzTarget {
  readonly reads: string
  /** In this folder; exports `fuzz(data: Buffer): void`. */
  readonly file: string
  /** Shipped module → functions of it that the seeds must enter, each by its name in the module. */
  readonly drives: Readonly<Record<string, readonly string[]>>
  /** Bytes of the longest input that is tried. */
  readonly inputBytesMax: number
  /** What the fuzzer would hardly come upon: it sees compared literals, but no lengths, magic numbers or grammar. */
  readonly words: readonly string[]
  /** Whether a peer's keys become properties, so that prototypes have to be watched. */
  readonly makesObjects: boolean
  /** Executions in a second that it is meant to reach here; said in the report, no reason to fail. */
  readonly goalPerS: number
}

const OID = 'a'.repeat(40)
const NO_OID = '0'.repeat(40)

export const FUZZ_TARGETS = {
  'pkt-line': {
    reads: 'lines as git frames them, and texts in side-band frames',
    file: 'targets/pkt-line.fuzz.ts',
    drives: {
      'src/git/pkt-line.ts': ['decodePktLine', 'encodePktLine', 'hex4'],
      'src/git/protocol/side-band.ts': ['encodeBandText'],
    },
    inputBytesMax: 2_048,
    words: ['0000', '0001', '0002', '0003', '0004', '0005', '000a', 'fff0', 'fff1', 'FFF0', '+00a', '0x0a', '-001'],
    makesObjects: false,
    goalPerS: 10_000,
  },
  'upload-pack': {
    reads: 'requests of a fetch, in versions 0, 1 and 2, and answers to them',
    file: 'targets/upload-pack.fuzz.ts',
    drives: {
      'src/git/protocol/upload-request.ts': ['take', 'request'],
      'src/git/protocol/v2-request.ts': ['take', 'request'],
      'src/git/protocol/v2-commands.ts': ['argument', 'request'],
      'src/git/protocol/advertisement.ts': ['encodeObjectInfo'],
      'src/git/protocol/side-band.ts': ['encodeLinesInBand'],
      'src/git/protocol/capabilities.ts': ['parseCapabilities', 'parseOid'],
      'src/git/protocol/negotiation.ts': ['negotiateV0', 'negotiateV2'],
      'src/git/protocol/ref-prefixes.ts': ['prefixMatcher'],
    },
    inputBytesMax: 4_096,
    words: [
      '\n',
      'want @a\n',
      'have @b\n',
      'want @c multi_ack_detailed no-done side-band-64k\n',
      '0000\n',
      '0001\n',
      'done\n',
      'command=fetch\n',
      'command=ls-refs\n',
      'agent=git/2\n',
      'ref-prefix refs/heads/\n',
      'peel\n',
      'symrefs\n',
      'unborn\n',
      'wait-for-done\n',
      'sideband-all\n',
      'command=object-info\n',
      'size\n',
      'oid @a\n',
      'session-id=one\n',
      'deepen 1\n',
      'filter blob:none\n',
    ],
    makesObjects: false,
    goalPerS: 1_000,
  },
  'receive-pack': {
    reads: 'requests of a push, with their pack, and reports on them',
    file: 'targets/receive-pack.fuzz.ts',
    drives: {
      'src/git/protocol/push-request.ts': ['take', 'request', 'realOid'],
      'src/git/protocol/capabilities.ts': ['parseCapabilities', 'parseOid'],
      'src/git/protocol/report-status.ts': ['encodeReport'],
      'src/git/ref-name.ts': ['whyNotPushable', 'hasRefFormat'],
      'src/git/pack/indexer.ts': ['indexPack'],
    },
    inputBytesMax: 4_096,
    words: [
      '\n',
      '@0 @a refs/heads/a\n',
      '@a @0 refs/heads/b\n',
      `${NO_OID} ${OID} refs/heads/main`,
      '\0report-status side-band-64k atomic',
      '\0report-status side-band delete-refs object-format=sha1',
      '\0report-status push-options',
      'shallow @a\n',
      'push-cert\n',
      '0000\n',
      'PACK\0\0\0\x02\0\0\0\x01',
      'refs/tags/',
      '.lock',
      '@0 @b refs/heads/a.lock\n',
      '@{',
    ],
    makesObjects: false,
    goalPerS: 1_000,
  },
  pack: {
    reads: 'packs with deltas, their objects and their indexes',
    file: 'targets/pack.fuzz.ts',
    drives: {
      'src/git/pack/indexer.ts': ['indexPack'],
      'src/git/pack/summed-source.ts': ['read', 'sumUpTo'],
      'src/git/pack/scan.ts': ['entryAt'],
      'src/git/pack/recent-objects.ts': ['add', 'has', 'get'],
      'src/git/pack/header.ts': ['decodePackHeader', 'decodeEntryHeader'],
      'src/git/pack/inflate.ts': ['inflateAt'],
      'src/git/pack/resolve-deltas.ts': ['resolveDeltas', 'resolveFrom', 'takeWaiting'],
      'src/git/pack/waiting-deltas.ts': ['add', 'take', 'forEachBase'],
      'src/git/pack/index-file.ts': ['encodePackIndex', 'rankOf', 'offsetOf'],
      'src/git/delta.ts': ['applyDelta', 'decodeDeltaSizes', 'sizeAt'],
    },
    inputBytesMax: 4_096,
    words: [
      'PACK\0\0\0\x02\0\0\0\x01',
      'PACK\0\0\0\x02\xff\xff\xff\xff',
      '\x78\x01\x01\0\0\xff\xff\0\0\0\x01',
      // A blob; deltas on the entry before it, by distance and by name, and on one from outside.
      '\x02\0\0\x03abc',
      '\x04\0\0\x02\x90\x03',
      '\x05\0\0\x04\x90\x02\x01x',
      '\x06\0\0\x02\x90\x0a',
      '\x80\x80\x80\x80\x80\x80\x80\x02',
    ],
    makesObjects: false,
    goalPerS: 1_000,
  },
  object: {
    reads: 'commits, trees, tags, .gitmodules and .gitattributes',
    file: 'targets/object.fuzz.ts',
    drives: {
      'src/git/object/commit.ts': ['parseWholeCommit', 'parseLinks'],
      'src/git/object/tree.ts': ['forEachTreeEntry', 'canonicalMode'],
      'src/git/object/tag.ts': ['parseTag'],
      'src/git/fsck/commit.ts': ['checkCommit'],
      'src/git/fsck/tree.ts': ['checkTree', 'checkName'],
      'src/git/fsck/tag.ts': ['checkTag'],
      'src/git/fsck/links.ts': ['forEachLinkOfCommit', 'linkOfTag'],
      'src/git/fsck/identity.ts': ['checkIdentity', 'checkDate'],
      'src/git/fsck/gitmodules.ts': ['checkGitmodules', 'checkValue'],
      'src/git/fsck/gitattributes.ts': ['checkGitattributes'],
    },
    inputBytesMax: 4_096,
    words: [
      `tree ${OID}\n`,
      `parent ${OID}\n`,
      'author A <a@b.c> 1700000000 +0000\n',
      'committer A <a@b.c> 1700000000 +0000\n',
      `object ${OID}\ntype commit\ntag v1\n`,
      'tagger A <a@b.c> 1700000000 +0000\n',
      '40000 a\n',
      '100644 a.b\n',
      '120000 .gitmodules\n',
      '160000 a\n',
      '.git',
      'git~1',
      '.gitmodules',
      '.gitattributes',
      '\xe2\x80\x8c',
      '[submodule "a"]\n\tpath = a\n\turl = ',
      'update = !x\n',
    ],
    makesObjects: false,
    goalPerS: 1_000,
  },
  sparse: {
    reads: 'patterns of sparse checkouts',
    file: 'targets/sparse.fuzz.ts',
    drives: {
      'src/git/object-graph/sparse-patterns.ts': [
        'judge',
        'isMatch',
        'linesOf',
        'parsePattern',
        'withoutTrailingSpaces',
      ],
      'src/git/object-graph/wildmatch.ts': ['matches', 'parse', 'single'],
    },
    inputBytesMax: 512,
    words: [
      '/**/',
      '**/',
      '/**',
      '[[:alpha:]]',
      '[!a-',
      '[^]',
      '\\ ',
      '!/*/',
      '\n',
      '\xef\xbb\xbf',
      '\xff',
      ':]',
      '*a*a*a',
    ],
    makesObjects: false,
    goalPerS: 1_000,
  },
  replication: {
    reads: 'messages between nodes, and entries of the log of refs',
    file: 'targets/replication.fuzz.ts',
    drives: {
      'src/p2p/wire/messages.ts': ['decodeRequest', 'decodeAnswer', 'decodeAnnouncement', 'encodeMessage', 'decode'],
      'src/validation/cbor.ts': ['decodeCbor', 'encodeCbor', 'next'],
      'src/storage/repositories/ref-log.ts': ['decodeEntry', 'encodeEntry', 'verifyChain'],
    },
    inputBytesMax: 2_048,
    // Heads of CBOR: maps, arrays, texts and bytes of declared lengths, numbers that are no integers.
    words: [
      '\xa0',
      '\xa5',
      '\x80',
      '\x9a\xff\xff\xff\xff',
      '\x9b\0\0\0\x01',
      '\xbb\0\0\0\x01',
      '\x5a\xff\xff',
      '\x7a\x7f',
      '\xf6',
      '\xf7',
      '\xfb\x7f\xf0',
      '\xc2\x41',
      '\x9f',
      '\xff',
      '\x1b\0\x1f',
      '\x3b',
      'dtype',
      'av\x01',
    ],
    makesObjects: true,
    goalPerS: 1_000,
  },
} as const satisfies Readonly<Record<string, FuzzTarget>>

export type TargetName = keyof typeof FUZZ_TARGETS
export const TARGET_NAMES = Object.keys(FUZZ_TARGETS) as TargetName[]

export function targetOf(name: TargetName): FuzzTarget {
  return FUZZ_TARGETS[name]
}
