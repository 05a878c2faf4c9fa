import { createHash } from 'node:crypto'
import { typeNameOf } from '../object/type.ts'
import type { EntryTable } from './entry-table.ts'

export interface IndexerHooks {
  /** Before anything else: how many objects the pack declares, which are no more than its bytes can hold. */
  onDeclared(objects: number): void
  /** Each object of the pack once, with its bytes. `oid` lies at `oidAt` in a shared buffer, valid during the call. */
  onObject(type: number, data: Buffer, oids: Buffer, oidAt: number): void
  /** A base outside the pack, for a thin pack. */
  readBase(oid: Buffer): { readonly type: number; readonly data: Buffer } | undefined
  /** Entries done so far, for progress; called seldom. */
  onProgress(phase: 'receiving' | 'resolving', done: number, total: number): void
}

/** Computes an object's name, records it and hands the object on. */
export function nameObject(entries: EntryTable, entry: number, type: number, data: Buffer, hooks: IndexerHooks): void {
  const oid = createHash('sha1')
    .update(`${typeNameOf(type)} ${data.length}\0`)
    .update(data)
    .digest()
  oid.copy(entries.oids, entry * 20)
  entries.types[entry] = type
  entries.byOid.set(oid, 0, entry)
  hooks.onObject(type, data, entries.oids, entry * 20)
}
