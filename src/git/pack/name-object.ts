import { createHash, type Hash, hash } from 'node:crypto'
import { typeNameOf } from '../object/type.ts'
import type { EntryTable } from './entry-table.ts'

/** Each piece is valid during the call of `visit`. */
export type ForEachPiece = (visit: (piece: Buffer) => void) => void

export interface IndexerHooks {
  /** Before anything else: how many objects the pack declares, which are no more than its bytes can hold. */
  onDeclared(objects: number, entries: EntryTable): void
  /** Each object of the pack once, with its bytes and its name, which lies at `oidAt`; both are valid during the call. */
  onObject(type: number, data: Buffer, oids: Buffer, oidAt: number): void
  /**
   * A blob that is too large to be worth holding: its size and name as above. Where there is no such function, those go to
   * `onObject` like all others.
   *
   * @param forEachPiece inflates it once more, during the call
   */
  onLargeBlob?(bytes: number, oids: Buffer, oidAt: number, forEachPiece: ForEachPiece): void
  /** A base outside the pack, for a thin pack. */
  readBase(oid: Buffer): { readonly type: number; readonly data: Buffer } | undefined
  /** Entries done so far, for progress; called seldom. */
  onProgress(phase: 'receiving' | 'resolving', done: number, total: number): void
}

/** Computes an object's name, records it and hands the object on. */
export function nameObject(entries: EntryTable, entry: number, type: number, data: Buffer, hooks: IndexerHooks): void {
  const name = entries.name(entry, type, nameOf(type, data))
  hooks.onObject(type, data, entries.oids, name * 20)
}

/** Objects of up to so many bytes are copied behind their header: one call costs less than the three of a hash in pieces. */
const WHOLE_BYTES_MAX = 16 * 1024
const HEADER_BYTES_MAX = 32
const whole = Buffer.alloc(HEADER_BYTES_MAX + WHOLE_BYTES_MAX)
const oid = Buffer.alloc(20)

/** For an object's bytes: what comes before them in its name's hash is in it already. */
export function hashOf(type: number, bytes: number): Hash {
  return createHash('sha1').update(headerOf(type, bytes))
}

const headerOf = (type: number, bytes: number): string => `${typeNameOf(type)} ${bytes}\0`

/** @returns 20 bytes, valid until the next call */
function nameOf(type: number, data: Buffer): Buffer {
  if (data.length > WHOLE_BYTES_MAX) return hashOf(type, data.length).update(data).digest()
  const header = headerOf(type, data.length)
  whole.write(header, 0, 'latin1')
  whole.set(data, header.length)
  // As a string of its bytes: a buffer of its own takes twice the time of the hash of a small object.
  oid.write(hash('sha1', whole.subarray(0, header.length + data.length), 'binary'), 'binary')
  return oid
}
