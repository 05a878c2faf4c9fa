import assert from 'node:assert/strict'
import { encodePktLine, FLUSH } from '../../src/git/pkt-line.ts'
import { OBJECT_TYPE } from '../../src/git/object/type.ts'
import { ProtocolError } from '../../src/git/protocol/error.ts'
import { type PushRequest, PushRequestParser } from '../../src/git/protocol/push-request.ts'
import { FRAME_BYTES_MAX } from '../../src/git/protocol/side-band.ts'
import { V2RequestParser } from '../../src/git/protocol/v2-request.ts'
import { Cursor } from '../grammar/cursor.ts'
import { FIXED_OBJECTS, FIXED_REFS } from '../grammar/fixed-repository.ts'
import { runPushSteps } from '../grammar/push-steps.ts'
import { openFixedRepository } from '../host/fixed-host.ts'
import { REQUEST_LIMITS, type RepositoryHere } from '../host/repository-here.ts'
import type { PlainObject } from '../oracles/closure.ts'
import { readFetchAnswer } from '../oracles/fetch-answer.ts'
import { checkFetched } from '../oracles/fetched-pack.ts'
import { decodeWhole, feed } from '../oracles/lines.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { readPushReport } from '../oracles/push-report.ts'
import { checkClosure, checkRefs, type Refs } from '../oracles/pushed-refs.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

/** A branch with a new commit, in two forms: as a program of its objects, and as what names them. */
const COMMIT = '\0\0\x05hello\x01\x01\x01\0a\x02\0\x01\x80\x05later'
const PUSH_MAIN = `\0\x17\x03\x01\0\0\x01${COMMIT}`
const CLONE = '\x01\0\x01\0\0\0'
const FETCH = '\x01\0\x01\0\x01\x01\0'
const LISTING = '\x02\0'

const SEQUENCES = {
  'a push, then a clone': PUSH_MAIN + CLONE,
  'a clone, a push, and the rest': `${CLONE}${PUSH_MAIN}\x01\x02\x01\0\x01\x83\0`,
  'the same push twice': PUSH_MAIN + PUSH_MAIN,
  'a deletion, then its listing': `\0\0\x01\x01\x02\0\0${LISTING}\x03\x02${LISTING}`,
  'a branch that goes and comes back': '\x03\x02\0\0\x01\x01\x02\x01\x84\x03\x02\x01\0\x02\0\x01\0',
  'a ref in the place of a folder': '\x03\x02\0\0\x03\x01\x03\0\x81\x02\x01',
  'the branch that HEAD points to': `\x03\0${LISTING}`,
  'two at once, one of them too late': `\0\0\x05\x02\0\0\x81\x01\x05\x82${LISTING}${CLONE}`,
  'a listing for a push': '\x02\x01\x02\x02\x02\x03',
} as const

export const target = {
  reads: 'pushes, fetches, listings and deletions one after another, against a model of the refs',
  drives: {
    'src/transfer/push.ts': ['run'],
    'src/transfer/fetch.ts': ['run', 'runV2'],
    'src/transfer/ref-rules.ts': ['judgeCommands'],
    'src/transfer/pack-cache.ts': ['openHot', 'openKnown'],
    'src/transfer/advertiser.ts': ['advertise', 'lsRefs'],
    'src/storage/repositories/ref-store.ts': ['readSnapshot'],
    'src/storage/repositories/projection.ts': ['projectChanges', 'removeLoose'],
    'src/storage/repositories/pack-files.ts': ['publish'],
  },
  inputBytesMax: 512,
  words: [PUSH_MAIN, CLONE, FETCH, LISTING, COMMIT, '\x03\x02', '\0\0\x01\x01\0\0\x81', '\0\0\x04\x01\x04\0\x82'],
  makesObjects: false,
  isAsync: true,
  // Up to eight requests each.
  goalPerS: 75,
  planted: {
    'pack-of-another-client': {
      why: 'who clones gets the pack that was made for somebody who had a part already',
      file: 'src/transfer/pack-cache.ts',
      from: '    ...[wants, haves, shallow].map((oids)',
      to: '    ...[wants, shallow].map((oids)',
    },
  },
  seeds: () => textSeeds(SEQUENCES),
} satisfies FuzzTarget

const STEPS_MAX = 8
const REFS_DELETED = ['refs/heads/main', 'refs/heads/side', 'refs/heads/old/root', 'refs/tags/v1', 'refs/heads/new']

/** What is known to be true of the repository by what it answered. */
class Model {
  refs: Refs = FIXED_REFS
  readonly #objects = new Map<string, PlainObject>(
    FIXED_OBJECTS.map(({ oid, type, data }) => [oid, { type: OBJECT_TYPE[type], data }]),
  )

  readonly look = (oid: string): PlainObject | undefined => this.#objects.get(oid)

  add(objects: ReturnType<typeof runPushSteps>['objects']): void {
    for (const { oid, type, data } of objects) this.#objects.set(oid, { type: OBJECT_TYPE[type], data })
  }
}

/**
 * Requests, of which the first byte says what each is: 0 a push in steps, whose program takes as many bytes as the next
 * one says; 1 a fetch of some refs' objects by who has some; 2 a listing; 3 a deletion as a client that has just looked
 * does it.
 *
 * Oracle: refs are what the answers made of them, by compare-and-swap; listings say so, and fetches bring what they
 * reach; who deletes what is there is refused nothing but the current branch.
 */
export async function fuzz(data: Buffer): Promise<void> {
  const repository = await openFixedRepository()
  try {
    const input = new Cursor(data)
    const model = new Model()
    for (let step = 0; step < STEPS_MAX && input.left > 0; step++) {
      const kind = input.byte() & 3
      if (kind === 0) await push(repository, model, input)
      else if (kind === 1) await fetch(repository, model, input)
      else if (kind === 2) await list(repository, model, input.byte())
      else await remove(repository, model, REFS_DELETED[input.byte() % REFS_DELETED.length] ?? '')
      assert.deepEqual(repository.refs, model.refs, 'refs are not what the answers made of them')
    }
    await repository.checkRest()
    checkClosure(repository.path, model.refs)
  } finally {
    repository.restore()
  }
}

async function push(repository: RepositoryHere, model: Model, input: Cursor): Promise<void> {
  const { body, objects } = runPushSteps(input, model.refs, input.byte())
  const parser = new PushRequestParser(REQUEST_LIMITS.pushCommandsMax)
  const bytes = await send(repository, body)
  if (unlessRefused([ProtocolError], () => feed(body, parser)) === undefined) return
  take(repository, model, parser.request(), bytes)
  // What was refused may be in no pack: then nothing reaches it.
  model.add(objects)
}

async function send(repository: RepositoryHere, body: Buffer): Promise<Buffer> {
  const { bytes, error } = await repository.ask({ service: 'git-receive-pack', version: '0', body })
  assert.ifError(error)
  return bytes ?? Buffer.alloc(0)
}

/** Without a report nobody knows which commands were done: of what they ask for, what the refs are is believed. */
function take(repository: RepositoryHere, model: Model, request: PushRequest, bytes: Buffer): void {
  const { refs } = repository
  checkRefs(model.refs, refs, request, readPushReport(request, bytes))
  model.refs = refs
}

async function remove(repository: RepositoryHere, model: Model, ref: string): Promise<void> {
  const oid = model.refs.get(ref)
  if (oid === undefined) return
  const body = Buffer.concat([encodePktLine(`${oid} ${'0'.repeat(40)} ${ref}\0report-status\n`), FLUSH])
  const parser = new PushRequestParser(1)
  feed(body, parser)
  const isCurrent = ref === repository.head
  take(repository, model, parser.request(), await send(repository, body))
  assert.equal(model.refs.has(ref), isCurrent, 'what is there can be deleted, but for the current branch')
}

async function fetch(repository: RepositoryHere, model: Model, input: Cursor): Promise<void> {
  const tips = [...new Set(model.refs.values())]
  const some = (): string[] => {
    const count = input.byte() & 3
    return Array.from({ length: count }, () => pick(input.byte(), tips))
  }
  const words = ['ofs-delta', 'thin-pack', 'include-tag', 'no-progress']
  const mask = input.byte()
  const wants = some()
  const haves = some()
  const isDone = (input.byte() & 1) === 0
  const lines = [
    ...words.filter((_, at) => (mask & (1 << at)) !== 0),
    ...(wants.length === 0 ? tips.slice(0, REQUEST_LIMITS.wantsMax) : wants).map((oid) => `want ${oid}`),
    ...haves.map((oid) => `have ${oid}`),
    ...(isDone ? ['done'] : []),
  ]
  const framed = lines.map((line) => encodePktLine(`${line}\n`))
  const body = Buffer.concat([encodePktLine('command=fetch\n'), Buffer.from('0001'), ...framed, FLUSH])
  const { bytes, error } = await repository.ask({ service: 'git-upload-pack', version: '2', body })
  assert.ifError(error)
  const parser = new V2RequestParser(REQUEST_LIMITS)
  feed(body, parser)
  const request = parser.request()
  assert(request?.command === 'fetch')
  const framing = { isV2: true, bandBytesMax: FRAME_BYTES_MAX['side-band-64k'], sidebandAll: false }
  const answer = readFetchAnswer(bytes ?? Buffer.alloc(0), framing)
  assert.equal(answer.error, undefined, 'what refs point to can be fetched')
  if (isDone) assert(answer.pack !== undefined)
  checkFetched(request, request.wants, answer, model.look)
}

/** One of those that refs point to, or one that was there in the beginning. */
function pick(choice: number, tips: readonly string[]): string {
  const made = choice < 0x80 ? tips[choice] : undefined
  return made ?? tips[choice % tips.length] ?? ''
}

async function list(repository: RepositoryHere, { refs }: Model, choice: number): Promise<void> {
  const service = (choice & 1) === 0 ? 'git-upload-pack' : 'git-receive-pack'
  const isV2 = (choice & 2) !== 0 && service === 'git-upload-pack'
  const lsRefs = Buffer.concat([encodePktLine('command=ls-refs\n'), FLUSH])
  const asked = { service, version: isV2 ? '2' : '0', body: isV2 ? lsRefs : undefined } as const
  const { bytes } = await repository.ask(asked)
  const listed = new Map<string, string>()
  for (const line of decodeWhole(bytes ?? Buffer.alloc(0))) {
    const text = line.type === 'data' ? line.payload.toString() : ''
    if (text.startsWith('ERR ')) return assert(refs.size > REQUEST_LIMITS.advertisedRefsMax, text)
    const [, oid = '', name = ''] = /^([0-9a-f]{40}) (refs\/[^ \0\n]*)/.exec(text) ?? []
    if (name !== '' && !name.endsWith('^{}')) listed.set(name, oid)
  }
  assert.deepEqual(listed, refs, 'a listing is not what the refs are')
}
