import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import { Git, temporaryFolder } from '../integration/support/git.ts'
import { importHistory } from '../integration/support/history.ts'
import { everyWantReaches } from '../src/git/object-graph/reach.ts'
import { encodePktLine, FLUSH } from '../src/git/pkt-line.ts'
import { encodePackSections, negotiateV0, negotiateV2 } from '../src/git/protocol/negotiation.ts'
import { ObjectStore } from '../src/storage/objects/object-store.ts'
import { oidHex } from './arbitraries.ts'
import { prop } from './prop.ts'

const folder = temporaryFolder('negotiation')
const repository = join(folder.path, 'source.git')
let commits: string[]
let parents: Map<string, string[]>
let store: ObjectStore

beforeAll(async () => {
  await new Git(folder.path).run('init', '--quiet', '--bare', '--initial-branch=main', 'source.git')
  const history = { seed: 5, commits: 60, filesPerCommit: 1, fileBytes: 80, mergeEvery: 6, tagEvery: 100 }
  await importHistory(repository, history)
  const git = new Git(repository)
  // C git lets any object be wanted only where it is told to.
  await git.run('config', 'uploadpack.allowAnySHA1InWant', 'true')
  // A second root, which reaches nothing that the others have.
  const alone = await git.run('commit-tree', '-m', 'alone', await git.run('rev-parse', 'main^{tree}'))
  await git.run('update-ref', 'refs/heads/alone', alone)
  const lines = (await git.run('rev-list', '--parents', '--all')).split('\n').map((line) => line.split(' '))
  parents = new Map(lines.map(([oid = '', ...rest]) => [oid, rest]))
  commits = Array.from(parents.keys())
  store = ObjectStore.open(repository, 2 ** 20)
})
afterAll(() => {
  store.close()
  folder[Symbol.dispose]()
})

const spread = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 3 })
const have = fc.oneof({ weight: 3, arbitrary: fc.nat(1_000_000) }, { weight: 2, arbitrary: oidHex })
const haves = fc.array(have, { maxLength: 8 })
const ACKS = ['multi_ack_detailed no-done', 'multi_ack_detailed', 'multi_ack', '']

/** A commit and all it comes from, by what C git says of parents. */
function ancestors(oid: string): Set<string> {
  const found = new Set([oid])
  for (const one of found) for (const parent of parents.get(one) ?? []) found.add(parent)
  return found
}

const commitAt = (place: number): string => commits[place % commits.length] ?? ''
const isReady = (wants: readonly string[], common: readonly string[]): boolean =>
  everyWantReaches({ read: (oid, at) => store.mustRead(oid, at) }, wants.map(fromHex), common.map(fromHex))
const fromHex = (oid: string): Buffer => Buffer.from(oid, 'hex')

/** Itself, or in the first or second band. */
const PACK_BEGINS = /PACK|[0-9a-f]{4}[^\n -~]/

/** What C git answers, up to its pack. */
function theirs(version: string, body: readonly Buffer[]): string {
  const env = { PATH: process.env['PATH'] ?? '', GIT_PROTOCOL: `version=${version}` }
  const { stdout } = spawnSync('git', ['upload-pack', '--stateless-rpc', repository], {
    input: Buffer.concat(body),
    env,
  })
  const text = stdout.toString('latin1')
  const pack = text.search(PACK_BEGINS)
  return pack < 0 ? text : text.slice(0, pack)
}

prop([spread, fc.array(fc.nat(1_000_000), { maxLength: 3 })])(
  'enough is in common when every want reaches some of it',
  (wanted, had) => {
    const wants = wanted.map(commitAt)
    const common = had.map(commitAt)
    const expected = wants.every((want) => common.some((oid) => ancestors(want).has(oid)))
    assert.equal(isReady(wants, common), expected)
  },
)

prop([spread, haves, fc.constantFrom(...ACKS)], { numRuns: 60 })(
  'a round of version 0 is answered as C git answers it',
  (wanted, had, ack) => {
    const wants = wanted.map(commitAt)
    const oids = had.map((one) => (typeof one === 'string' ? one : commitAt(one)))
    const common = new Set(oids.filter((oid) => store.has(fromHex(oid))))
    const body = [
      ...wants.map((oid, at) => encodePktLine(`want ${oid}${at === 0 ? ` ${ack}` : ''}\n`)),
      FLUSH,
      ...oids.map((oid) => encodePktLine(`have ${oid}\n`)),
      FLUSH,
    ]
    const capabilities = new Map(ack.split(' ').map((word) => [word, '']))
    const request = { haves: oids, capabilities, done: false }
    const ready = isReady(wants, [...common])
    const { answer, packFollows } = negotiateV0(request, common, ready)
    const expected = theirs('0', body)
    assert.equal(packFollows, ready && ack.includes('no-done'))
    // C git decides at each line with what is in common so far, and counts the parents of what is had as well: it may
    // say so earlier, or where we go on, and a client follows both.
    if (readyIn(expected) || readyIn(answer.toString())) return
    // Without multi_ack C git says ACK again for what the first one reaches; one is what the protocol asks for.
    assert.equal(answer.toString(), ack === '' ? expected.slice(0, 49) : expected)
  },
)

const readyIn = (text: string): boolean => /ready\n|ACK [0-9a-f]{40} continue\n/.test(text)

prop([spread, haves, fc.constantFrom(...ACKS)], { numRuns: 40 })(
  'the last round of version 0 ends as C git ends it',
  (wanted, had, ack) => {
    const wants = wanted.map(commitAt)
    const oids = had.map((one) => (typeof one === 'string' ? one : commitAt(one)))
    const common = new Set(oids.filter((oid) => store.has(fromHex(oid))))
    const body = [
      ...wants.map((oid, at) => encodePktLine(`want ${oid}${at === 0 ? ` ${ack}` : ''}\n`)),
      FLUSH,
      ...oids.map((oid) => encodePktLine(`have ${oid}\n`)),
      encodePktLine('done\n'),
    ]
    const capabilities = new Map(ack.split(' ').map((word) => [word, '']))
    const { answer, packFollows } = negotiateV0({ haves: oids, capabilities, done: true }, common, false)
    assert.ok(packFollows)
    // What it could still leave out is of no use to a client that has said all.
    const withoutHints = theirs('0', body).replaceAll(/^....ACK [0-9a-f]{40} ready\n/gm, '')
    const isHint = (line: string): boolean =>
      ack === 'multi_ack' && line.endsWith(' continue') && !common.has(line.slice(8, 48))
    const expected = withoutHints
      .split('\n')
      .filter((line) => !isHint(line))
      .join('\n')
    assert.equal(answer.toString(), ack === '' ? expected.slice(0, 49) : expected)
  },
)

prop([spread, haves, fc.boolean(), fc.boolean()], { numRuns: 60 })(
  'a request of version 2 is answered as C git answers it',
  (wanted, had, done, waits) => {
    const wants = wanted.map(commitAt)
    const oids = Array.from(new Set(had.map((one) => (typeof one === 'string' ? one : commitAt(one)))))
    // Without haves C git sends the pack, whatever the client says; ours asks for its word.
    fc.pre(done || oids.length > 0)
    const common = new Set(oids.filter((oid) => store.has(fromHex(oid))))
    const body = [
      encodePktLine('command=fetch'),
      Buffer.from('0001'),
      ...wants.map((oid) => encodePktLine(`want ${oid}\n`)),
      ...oids.map((oid) => encodePktLine(`have ${oid}\n`)),
      ...(done ? [encodePktLine('done\n')] : []),
      FLUSH,
    ]
    const request = { haves: oids, done, waitForDone: false }
    const ready = isReady(wants, [...common])
    const expected = theirs('2', body)
    const { answer: lines, packFollows } = negotiateV2(request, common, ready)
    const sections = encodePackSections({ shallowInfo: undefined, wantedRefs: [] })
    const answer = packFollows ? Buffer.concat([lines, sections]) : lines
    if (!ready && readyIn(expected)) assert.equal(answer.toString().slice(0, -4), expected.slice(0, answer.length - 4))
    else assert.equal(answer.toString(), expected)
    const waiting = negotiateV2({ ...request, waitForDone: waits }, common, ready)
    assert.equal(waiting.packFollows, done || (ready && !waits))
  },
)
