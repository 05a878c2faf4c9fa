/**
 * The log of a repository's ref transactions as other nodes read it (DESIGN §7): each entry names the hash of the one
 * before, and is signed by the home's key. So who has the last hash has all of it, and nobody else can add to it.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import * as z from 'zod'
import { GutsError } from '../../errors.ts'
import { decodeCbor, encodeCbor } from '../../validation/cbor.ts'

/** Encoded. A push that changes more refs than fit is refused, as no mirror could follow it. */
export const ENTRY_BYTES_MAX = 8 * 1024 * 1024
/** A ref of one letter takes a few bytes of an entry, and a hundred times that in memory. */
export const CHANGES_MAX = 150_000
export const HASH_BYTES = 32
const SIGNATURE_BYTES = 64
/** What is signed begins with it, so that no signature of ours for something else can pass as one of an entry. */
const SIGNED_AS = Buffer.from('guts ref log entry 1\0')
/** Before the first entry. */
export const NO_HASH = Buffer.alloc(HASH_BYTES)

export interface RefChange {
  readonly ref: string
  /** 40 hex digits; undefined: there was none */
  readonly oldOid: string | undefined
  /** undefined: deleted */
  readonly newOid: string | undefined
}

export interface LogEntry {
  /** Id at its home. */
  readonly repository: string
  /** From 1, without gaps. */
  readonly sequence: number
  /** By the home's clock. */
  readonly timeMs: number
  /** Hash of the entry before. */
  readonly previous: Buffer
  /** What HEAD points to from now on; undefined: as before */
  readonly head: string | undefined
  readonly changes: readonly RefChange[]
}

export interface SignedEntry {
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

export class LogError extends GutsError<{
  readonly code: 'entry_malformed' | 'signature_wrong' | 'wrong_repository' | 'sequence_gap' | 'chain_broken'
}> {}

const bytesOf = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length)
const oidBytes = bytesOf(20)
const refName = z.string().min(1).max(4096)
const wireEntry = z.strictObject({
  v: z.literal(1),
  repository: z.string().min(1).max(64),
  sequence: z.int().min(1),
  time: z.int().min(0),
  previous: bytesOf(HASH_BYTES),
  head: refName.nullable(),
  changes: z.array(z.tuple([refName, oidBytes.nullable(), oidBytes.nullable()])).max(CHANGES_MAX),
})

export function encodeEntry({ repository, sequence, timeMs, previous, head, changes }: LogEntry): Uint8Array {
  const oid = (hex: string | undefined): Buffer | null => (hex === undefined ? null : Buffer.from(hex, 'hex'))
  return encodeCbor({
    v: 1,
    repository,
    sequence,
    time: timeMs,
    previous,
    head: head ?? null,
    changes: changes.map(({ ref, oldOid, newOid }) => [ref, oid(oldOid), oid(newOid)]),
  } satisfies z.input<typeof wireEntry>)
}

/** @throws LogError entry_malformed */
export function decodeEntry(bytes: Uint8Array): LogEntry {
  let value: z.output<typeof wireEntry>
  try {
    value = wireEntry.parse(decodeCbor(bytes, ENTRY_BYTES_MAX))
  } catch (cause) {
    throw new LogError({ code: 'entry_malformed' }, 'An entry of the log cannot be read', { cause })
  }
  const hex = (oid: Uint8Array | null): string | undefined =>
    oid === null ? undefined : Buffer.from(oid).toString('hex')
  return {
    repository: value.repository,
    sequence: value.sequence,
    timeMs: value.time,
    previous: Buffer.from(value.previous),
    head: value.head ?? undefined,
    changes: value.changes.map(([ref, oldOid, newOid]) => ({ ref, oldOid: hex(oldOid), newOid: hex(newOid) })),
  }
}

export function hashEntry(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** The home's key, as far as its log is concerned. */
export interface LogSigner {
  sign(entry: Uint8Array): Buffer
}

/** @param seed 32 bytes, of an Ed25519 key */
export function signingKeyOf(seed: Uint8Array): KeyObject {
  // PKCS #8 of an Ed25519 key is this prefix and the seed (RFC 8410, 7).
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

/** @param seed 32 bytes, of an Ed25519 key */
export function signerOf(seed: Uint8Array): LogSigner {
  const key = signingKeyOf(seed)
  return { sign: (entry) => sign(null, signedBytes(entry), key) }
}

/** @param publicKey 32 bytes, of an Ed25519 key */
export function verifierOf(publicKey: Uint8Array): (entry: SignedEntry) => boolean {
  // SubjectPublicKeyInfo of an Ed25519 key (RFC 8410, 4).
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey])
  const key: KeyObject = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return ({ bytes, signature }) =>
    signature.length === SIGNATURE_BYTES && verify(null, signedBytes(bytes), key, signature)
}

export interface ChainEnd {
  readonly sequence: number
  readonly hash: Buffer
}

export interface VerifiedEntry extends LogEntry {
  readonly hash: Buffer
  readonly signature: Uint8Array
}

/**
 * Checks that the entries go on from `end`, each signed by the home, without a gap.
 *
 * @throws LogError saying which rule the first wrong one breaks
 */
export function verifyChain(
  entries: readonly SignedEntry[],
  end: ChainEnd,
  { repository, isSigned }: { readonly repository: string; readonly isSigned: (entry: SignedEntry) => boolean },
): VerifiedEntry[] {
  let { sequence, hash } = end
  return entries.map((signed) => {
    if (!isSigned(signed)) {
      throw new LogError({ code: 'signature_wrong' }, `Entry ${sequence + 1} is not signed by the home's key`)
    }
    const entry = decodeEntry(signed.bytes)
    if (entry.repository !== repository) {
      throw new LogError({ code: 'wrong_repository' }, `Entry ${sequence + 1} is of another repository`)
    }
    if (entry.sequence !== sequence + 1) {
      throw new LogError({ code: 'sequence_gap' }, `Entry ${entry.sequence} follows entry ${sequence}`)
    }
    if (!entry.previous.equals(hash)) {
      throw new LogError({ code: 'chain_broken' }, `Entry ${entry.sequence} does not follow the one that is here`)
    }
    sequence = entry.sequence
    hash = hashEntry(signed.bytes)
    return { ...entry, hash, signature: signed.signature }
  })
}

function signedBytes(entry: Uint8Array): Buffer {
  return Buffer.concat([SIGNED_AS, entry])
}
