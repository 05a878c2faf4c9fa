/** The log of refs that nodes follow: what was written is read, and what somebody changed is refused. */
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { fc } from '@fast-check/vitest'
import {
  decodeEntry,
  encodeEntry,
  hashEntry,
  type LogEntry,
  LogError,
  NO_HASH,
  type SignedEntry,
  signerOf,
  verifierOf,
  verifyChain,
} from '../src/storage/repositories/ref-log.ts'
import { oidHex, record } from './arbitraries.ts'
import { prop } from './prop.ts'

const change = record({
  ref: fc.stringMatching(/^refs\/heads\/[a-zé]{1,20}$/),
  oldOid: fc.option(oidHex, { nil: undefined }),
  newOid: fc.option(oidHex, { nil: undefined }),
})
const LAST = { ref: 'refs/heads/last', oldOid: undefined, newOid: undefined }
const step = record({
  timeMs: fc.maxSafeNat(),
  head: fc.option(fc.constant('refs/heads/main'), { nil: undefined }),
  changes: fc.array(change, { maxLength: 3 }),
})
const REPOSITORY = '01930000-0000-7000-8000-000000000001'
const SEED = Buffer.alloc(32, 7)
const START = { sequence: 0, hash: NO_HASH }
const rules = { repository: REPOSITORY, isSigned: verifierOf(publicKeyOf(SEED)) }

function publicKeyOf(seed: Buffer): Buffer {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  return key.export({ format: 'der', type: 'spki' }).subarray(-32)
}

type Step = Omit<LogEntry, 'repository' | 'sequence' | 'previous'>

/** A log as its home writes it. */
function logOf(
  steps: readonly Step[],
  { repository = REPOSITORY, seed = SEED, after = 0, previous = NO_HASH as Buffer } = {},
): SignedEntry[] {
  const signer = signerOf(seed)
  return steps.map((one, at) => {
    const bytes = encodeEntry({ ...one, repository, sequence: after + at + 1, previous })
    previous = hashEntry(bytes)
    return { bytes, signature: signer.sign(bytes) }
  })
}

prop([step, fc.nat(1_000)])('an entry of the log is read as it was written', (one, at) => {
  const entry = { ...one, repository: REPOSITORY, sequence: at + 1, previous: Buffer.alloc(32, at) }
  assert.deepEqual(decodeEntry(encodeEntry(entry)), entry)
})

const log = fc.array(step, { minLength: 1, maxLength: 6 })

prop([log, fc.nat(6)])('a log is the same read at once or in two parts', (steps, place) => {
  const entries = logOf(steps)
  const whole = verifyChain(entries, START, rules)
  const first = verifyChain(entries.slice(0, place), START, rules)
  const end = first.at(-1) ?? START
  assert.deepEqual([...first, ...verifyChain(entries.slice(place), end, rules)], whole)
})

interface Tampering {
  readonly steps: readonly Step[]
  /** Of which one is changed, and where in it. */
  readonly at: number
  readonly byte: number
  /** Another history that the home signed. */
  readonly other: readonly SignedEntry[]
}

/** Ways to change a log. */
const TAMPERINGS: Readonly<Record<string, (entries: SignedEntry[], how: Tampering) => SignedEntry[]>> = {
  'a byte of an entry': (entries, { at, byte }) =>
    entries.with(at, { ...entryAt(entries, at), bytes: flipped(entryAt(entries, at).bytes, byte) }),
  'a byte of a signature': (entries, { at, byte }) =>
    entries.with(at, { ...entryAt(entries, at), signature: flipped(entryAt(entries, at).signature, byte) }),
  'an entry less': (entries, { at }) => entries.toSpliced(at, 1),
  'an entry twice': (entries, { at }) => entries.toSpliced(at, 0, entryAt(entries, at)),
  'another order': (entries, { at }) =>
    entries.toSpliced(at, 1).toSpliced(at === 0 ? entries.length : at - 1, 0, entryAt(entries, at)),
  'an entry of another history': (entries, { at, other }) => entries.with(at, entryAt(other, at)),
  // What only the home itself could do, or somebody who takes what it signed for something else.
  'another key': (entries, how) => rewritten(entries, how, { seed: Buffer.alloc(32, 8) }),
  'another repository': (entries, how) => rewritten(entries, how, { repository: REPOSITORY.replace('1', '2') }),
  'a number left out': (entries, how) => rewritten(entries, how, { after: how.at + 1 }),
}

/** The rest of a log from one entry on, which follows the one before, but for `differs`. */
function rewritten(entries: SignedEntry[], { steps, at }: Tampering, differs: Parameters<typeof logOf>[1]) {
  const previous = at === 0 ? NO_HASH : hashEntry(entryAt(entries, at - 1).bytes)
  return [...entries.slice(0, at), ...logOf(steps.slice(at), { after: at, previous, ...differs })]
}

function entryAt(entries: readonly SignedEntry[], at: number): SignedEntry {
  const entry = entries[at]
  assert.ok(entry)
  return entry
}

function flipped(bytes: Uint8Array, place: number): Buffer {
  const other = Buffer.from(bytes)
  other.writeUInt8(other.readUInt8(place % other.length) ^ (1 << (place % 8)), place % other.length)
  return other
}

prop([fc.array(step, { minLength: 2, maxLength: 6 }), fc.constantFrom(...Object.keys(TAMPERINGS)), fc.nat(), fc.nat()])(
  'a log that somebody changed is refused, or is the beginning of the true one',
  (steps, how, place, byte) => {
    const entries = logOf(steps)
    // The same but for what comes last in it: a hash is that of the whole.
    const other = logOf(steps.map((one) => ({ ...one, changes: [...one.changes.slice(0, -1), LAST] })))
    const at = place % entries.length
    const tampered = TAMPERINGS[how]?.([...entries], { steps, at, byte, other }) ?? []
    let read
    try {
      read = verifyChain(tampered, START, rules)
    } catch (error) {
      assert.ok(error instanceof LogError, String(error))
      return
    }
    assert.deepEqual(read, verifyChain(entries, START, rules).slice(0, read.length))
    assert.ok(how === 'an entry less', how)
  },
)
