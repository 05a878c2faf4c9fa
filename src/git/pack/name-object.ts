import { createHash, hash } from 'node:crypto'
import { typeNameOf } from '../object/type.ts'
import type { EntryTable } from './entry-table.ts'

export interface IndexerHooks {
  /** Before anything else: how many objects the pack declares, which are no more than its bytes can hold. */
  onDeclared(objects: number, entries: EntryTable): void
  /** Each object of the pack once, with its bytes and its name, which lies at `oidAt`; both are valid during the call. */
  onObject(type: number, data: Buffer, oids: Buffer, oidAt: number): void
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

function nameOf(type: number, data: Buffer): Buffer {
  const header = `${typeNameOf(type)} ${data.length}\0`
  if (data.length > WHOLE_BYTES_MAX) return createHash('sha1').update(header).update(data).digest()
  whole.write(header, 0, 'latin1')
  whole.set(data, header.length)
  return hash('sha1', whole.subarray(0, header.length + data.length), 'buffer')
}
