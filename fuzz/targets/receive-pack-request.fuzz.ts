import assert from 'node:assert/strict'
import { PushRequestParser, type PushRequest } from '../../src/git/protocol/push-request.ts'
import { withChecksum } from '../../integration/support/pack-maker.ts'
import { ProtocolError } from '../../src/git/protocol/error.ts'
import { Cursor } from '../grammar/cursor.ts'
import { FIXED_LETTERS, FIXED_REFS, fixedName } from '../grammar/fixed-repository.ts'
import { runPushProgram } from '../grammar/push-program.ts'
import { runPushSteps } from '../grammar/push-steps.ts'
import { frameLines, splitPush } from '../grammar/requests.ts'
import { inPieces, openFixedRepository } from '../host/fixed-host.ts'
import { REQUEST_LIMITS, type RepositoryHere } from '../host/repository-here.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { feed } from '../oracles/lines.ts'
import { readPushReport } from '../oracles/push-report.ts'
import { checkClosure, checkRefs, isSame } from '../oracles/pushed-refs.ts'
import type { NamedExchange } from '../seeds/material.ts'
import { linesOf } from '../seeds/programs.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

const PUSHES = {
  'a new branch of what is there': 'A@0 @a refs/heads/new\0report-status side-band-64k\n0000\n',
  'a commit on a branch':
    'A@a @C refs/heads/main\0report-status-v2 ofs-delta\n0000\n' +
    '\0\0\x05hello\x01\x01\x01\0a\x02\0\x01\x80\x05later',
  'a tag, and a change of two branches at once':
    'E@0 @B refs/tags/v2\0report-status atomic side-band\n@b @A refs/heads/side\n@d @0 refs/heads/old/root\n0000\n' +
    '\0\x02\x85\x01\x80\x03new\x03\0\x02v2',
  'a delta on what is there': 'A@0 @A refs/tags/blob\0report-status\n0000\n\0\x06\x8a\x04\x90\x05\x01!',
  'a tree that names what is missing': 'A@0 @B refs/tags/tree\0report-status\n0000\n\0\x08\x04away\x01\x01\x04\0file',
  'no commit': 'A@0 @A refs/heads/none\0report-status\n0000\n\0\x04\0\x0cnot a commit',
  submodules: 'A@0 @B refs/tags/tree\0report-status\n0000\n\0\0\x0b[submodule \x01\x01\x0b\0.gitmodules',
  'a ref below another one': 'A@0 @a refs/heads/main/below\0report-status\n@0 @a refs/heads/a/b\n0000\n',
  'two at once, of which one cannot be': 'A@0 @a refs/heads/one\0report-status atomic\n@0 @a refs/heads/side\n0000\n',
  'in bands, without a report': 'A@0 @a refs/heads/quiet\0side-band-64k\n0000\n',
  'steps: a commit on a branch': 'C\x03\x01\0\0\x01\0\0\x05hello\x01\x01\x01\0a\x02\0\x01\x80\x05later',
  'steps: a deletion, and a new branch': 'C\x01\x02\x02\0\0\x04\0\x81\0',
  'steps: a tag of a commit with a file': 'C\x05\x01\x08\0\x01\0\0\x02hi\x01\x01\x01\0a\x02\0\0\x01m\x03\0\x02v2',
  'without a report': 'A@0 @a refs/heads/quiet\n0000\n',
  'a pack of its own': 'B@0 @c refs/heads/other\0report-status side-band-64k\n0000\nPACK\0\0\0\x02\0\0\0\0',
  'a pack of too many objects': 'J@0 @c refs/heads/other\0report-status\n0000\nPACK\0\0\0\x02\0\x01\0\0',
  'a pack of another version': 'F@0 @c refs/heads/other\0report-status\n0000\nPACK\0\0\0\x09\0\0\0\0',
} as const

export const target = {
  reads: 'whole pushes, through the handler, to the refs and packs that they leave',
  drives: {
    'src/transfer/push.ts': ['run', 'reasonOf'],
    'src/transfer/request-reader.ts': ['lineHere', 'readLine', 'rest', 'drain'],
    'src/transfer/receive-pack.ts': ['receivePack', 'takePack', 'writePack'],
    'src/transfer/pack-checker.ts': ['add', 'finish', 'expect'],
    'src/transfer/workers/index-task.ts': ['runIndex', 'inspectTips'],
    'src/transfer/workers/complete-thin-pack.ts': ['completeThinPack'],
    'src/transfer/ref-change.ts': ['changeRefs', 'publishWith', 'toReport'],
    'src/transfer/ref-rules.ts': ['judgeCommands', 'headAfter'],
    'src/storage/repositories/ref-store.ts': ['apply', 'snapshot'],
    'src/storage/repositories/projection.ts': ['projectChanges', 'readProjection'],
    'src/git/fsck/object-checker.ts': ['check', 'finish'],
  },
  inputBytesMax: 2_048,
  words: [
    '@0 @a refs/heads/new\n',
    '@a @b refs/heads/main\n',
    '@b @A refs/heads/side\n',
    '@d @0 refs/heads/old/root\n',
    '@0 @B refs/tags/v2\n',
    '@0 @C refs/heads/next\n',
    '@0 @a refs/heads/old\n',
    '\0report-status',
    ' side-band-64k',
    ' atomic',
    ' push-options',
    'shallow @a\n',
    '0000\n',
    '\x01\x01\0\0\x01a',
    '\x02\0\x01\x80\x01m',
    '\x03\0\x02v2',
    '\x06\x8a\x02\x90\x05',
    '.gitmodules',
    'PACK\0\0\0\x02\0\0\0\x01',
  ],
  makesObjects: false,
  isAsync: true,
  goalPerS: 300,
  planted: {
    'tree-missing': {
      why: 'a pack is taken whose commit names a tree that is neither in it nor here, and nobody can clone the branch',
      file: 'src/transfer/pack-checker.ts',
      from: '      if (namedAs !== 0) this.#assertIs(',
      to: '      if (namedAs !== 0 && namedAs !== OBJECT_TYPE.tree) this.#assertIs(',
    },
    'ref-in-place-of-a-folder': {
      why: 'a branch is taken where other branches have their folder, and cannot be written to disk',
      file: 'src/transfer/names-in-use.ts',
      from: ' ?? this.#existingBelow(name)',
      to: '',
    },
  },
  seeds: ({ fixed }) => ({
    ...textSeeds(PUSHES),
    ...Object.fromEntries(fixed.flatMap(pushSeedsOf)),
  }),
} satisfies FuzzTarget

/** Bytes of each piece of the body; 0: all of it comes at once. */
const PIECE_BYTES = [0, 1, 7, 64] as const

/**
 * The first byte says how the rest is meant: bits 0 and 1 as it is, as lines and a program that makes a pack, as lines
 * and a pack, or as steps; bits 2 and 3 how the body comes.
 *
 * Oracle: refused with an error of the list, or answered with a report in which each command is once; refs changed just
 * as the report says, by compare-and-swap; what they reach is here; of a push that changed nothing, nothing stays.
 */
export async function fuzz(data: Buffer): Promise<void> {
  const repository = await openFixedRepository()
  try {
    const input = new Cursor(data)
    const mode = input.byte()
    await push(repository, makeBody(mode, input), PIECE_BYTES[(mode >> 2) & 3] ?? 0)
  } finally {
    repository.restore()
  }
}

function makeBody(mode: number, input: Cursor): Buffer {
  if ((mode & 3) === 0) return input.rest()
  if ((mode & 3) === 3) return runPushSteps(input, FIXED_REFS).body
  const { commands, rest } = splitPush(input.rest())
  if (rest === undefined) return frameLines(commands, fixedName)
  if ((mode & 3) === 2) return Buffer.concat([frameLines(commands, fixedName), withChecksum(rest)])
  const { pack, objects } = runPushProgram(new Cursor(rest))
  const nameOf = (letter: string): string => objects[letter.charCodeAt(0) - 0x41]?.oid ?? fixedName(letter)
  return Buffer.concat([frameLines(commands, nameOf), pack])
}

async function push(repository: RepositoryHere, body: Buffer, pieceBytes: number): Promise<void> {
  const { bytes } = await repository.ask({
    service: 'git-receive-pack',
    version: '0',
    body: inPieces(body, pieceBytes),
  })
  await repository.checkRest()
  const after = repository.refs
  const request = unlessRefused([ProtocolError], () => readCommands(body))
  if (bytes === undefined || request === undefined) return assert.deepEqual(after, FIXED_REFS)
  checkRefs(FIXED_REFS, after, request, readPushReport(request, bytes))
  if (!isSame(after, FIXED_REFS)) checkClosure(repository.path, after)
}

/** @returns undefined where they do not end */
function readCommands(body: Buffer): PushRequest | undefined {
  const parser = new PushRequestParser(REQUEST_LIMITS.pushCommandsMax)
  return feed(body, parser) === undefined ? undefined : parser.request()
}

function pushSeedsOf({ name, service, request }: NamedExchange): [string, Buffer][] {
  if (service !== 'git-receive-pack') return []
  return [
    [name, Buffer.concat([Buffer.from('@'), request])],
    [`${name}, in lines`, Buffer.concat([Buffer.from('B'), linesOf(request, FIXED_LETTERS)])],
  ]
}
