import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { encodePktLine, FLUSH, type PktLine } from '../src/git/pkt-line.ts'
import { ProtocolError } from '../src/git/protocol/error.ts'
import { PushRequestParser } from '../src/git/protocol/push-request.ts'
import { UploadRequestParser } from '../src/git/protocol/upload-request.ts'
import { V2RequestParser } from '../src/git/protocol/v2-request.ts'
import { RequestReader } from '../src/transfer/request-reader.ts'
import { bytes, chunksOf, cuts, oidHex, streamOf } from './arbitraries.ts'
import { prop } from './prop.ts'

interface Parser {
  take(line: PktLine): boolean
  request(): unknown
}

const LIMITS = { wantsMax: 6, havesMax: 6 }
const PARSERS: Readonly<Record<string, () => Parser>> = {
  push: () => new PushRequestParser(6),
  'fetch, version 0': () => new UploadRequestParser(LIMITS),
  'version 2': () => new V2RequestParser(LIMITS),
}

/** What a request says, or why it is refused. */
async function outcome(make: () => Parser, body: readonly Buffer[] | Buffer): Promise<unknown> {
  const source = Buffer.isBuffer(body) ? body : streamOf(body)
  const reader = new RequestReader(source, { bytesMax: 2 ** 20, onPiece() {} })
  const parser = make()
  try {
    for (;;) {
      const line = reader.lineHere() ?? (await reader.readLine())
      if (line === undefined || parser.take(line)) break
    }
    const rest: Buffer[] = []
    for await (const piece of reader.rest()) rest.push(piece)
    return { request: parser.request(), rest: Buffer.concat(rest).toString('latin1') }
  } catch (error) {
    assert.ok(error instanceof ProtocolError, String(error))
    return { refused: error.detail, said: parser.request() }
  }
}

// Mostly what clients say, in an order that is mostly theirs.
const text = fc.oneof(
  { weight: 4, arbitrary: oidHex.map((oid) => `want ${oid}`) },
  { weight: 4, arbitrary: oidHex.map((oid) => `have ${oid}`) },
  { weight: 4, arbitrary: fc.tuple(oidHex, oidHex).map(([a, b]) => `${a} ${b} refs/heads/x\0report-status atomic`) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'command=fetch',
      'command=ls-refs',
      'agent=x',
      'done',
      'peel',
      'symrefs',
      'ref-prefix refs/',
      'ofs-delta',
      'wait-for-done',
      'shallow 1',
      'deepen 1',
      '',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
)
const line = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(text, fc.constantFrom('', '\n')).map(([words, end]) => encodePktLine(words + end)) },
  { weight: 2, arbitrary: fc.constantFrom(FLUSH, Buffer.from('0001')) },
  { weight: 1, arbitrary: bytes(6) },
)
const texts = (all: fc.Arbitrary<string>, parameters: fc.ArrayConstraints): fc.Arbitrary<Buffer[]> =>
  fc.array(
    all.map((words) => encodePktLine(words)),
    parameters,
  )
const said = (...words: readonly string[]): fc.Arbitrary<Buffer[]> =>
  fc.constant(words.map((one) => encodePktLine(one)))
const named = (word: string): fc.Arbitrary<string> => oidHex.map((oid) => `${word} ${oid}`)
const ends = (...all: readonly Buffer[]): fc.Arbitrary<Buffer[]> => fc.constant([...all])
/** Up to one more than may be of each. */
const few = { minLength: 1, maxLength: 7 }
const haves = texts(named('have'), { maxLength: 7 })
/** Parts of requests that are right, as lines drawn by themselves hardly ever are: of 1,000 in version 2, two were. */
const RIGHT: Readonly<Record<string, readonly fc.Arbitrary<Buffer[]>[]>> = {
  push: [
    texts(
      fc.tuple(oidHex, oidHex).map(([a, b]) => `${a} ${b} refs/x`),
      few,
    ),
    ends(FLUSH),
    ends(Buffer.from('PACK')),
  ],
  'fetch, version 0': [texts(named('want'), few), ends(FLUSH), haves, said('done')],
  'version 2': [said('command=fetch'), ends(Buffer.from('0001')), texts(named('want'), few), haves, ends(FLUSH)],
}
const request = fc.constantFrom(...Object.keys(PARSERS)).chain((kind) =>
  fc
    .tuple(
      fc.oneof({ weight: 2, arbitrary: fc.tuple(...(RIGHT[kind] ?? [])).map((parts) => parts.flat()) }, fc.array(line)),
      fc.option(fc.tuple(fc.nat(), line), { freq: 2, nil: undefined }),
    )
    .map(([lines, flaw]) => {
      const all = flaw === undefined ? lines : lines.toSpliced(flaw[0] % (lines.length + 1), 0, flaw[1])
      return { kind, body: Buffer.concat(all) }
    }),
)

prop([request, cuts])(
  'a request means the same however it is cut, and is refused in words or not at all',
  async ({ kind, body }, sizes) => {
    const make = PARSERS[kind] as () => Parser
    const expected = await outcome(make, [body])
    assert.deepEqual(await outcome(make, chunksOf(body, sizes)), expected)
    // Small ones mostly are here at once.
    assert.deepEqual(await outcome(make, body), expected)
  },
)

const pushed = fc.array(fc.tuple(oidHex, oidHex, fc.stringMatching(/^[a-z]{1,9}$/)), { minLength: 1, maxLength: 6 })
const option = fc.stringMatching(/^[a-z =]{0,9}$/)

prop([pushed, fc.option(fc.array(option, { maxLength: 6 }), { nil: undefined }), cuts])(
  'commands and options of a push are read as they were written',
  async (commands, options, sizes) => {
    const word = options === undefined ? 'quiet' : 'push-options'
    const body = Buffer.concat([
      ...commands.map(([from, to, name], at) =>
        encodePktLine(`${from} ${to} refs/${name}${at === 0 ? `\0${word}` : ''}`),
      ),
      FLUSH,
      ...(options === undefined ? [] : [...options.map((one) => encodePktLine(one)), FLUSH]),
    ])
    const expected = commands.map(([oldOid, newOid, name]) => ({ ref: `refs/${name}`, oldOid, newOid }))
    assert.deepEqual(await outcome(() => new PushRequestParser(6), chunksOf(body, sizes)), {
      request: { commands: expected, capabilities: new Map([[word, '']]), options: options?.length ?? 0 },
      rest: '',
    })
  },
)
