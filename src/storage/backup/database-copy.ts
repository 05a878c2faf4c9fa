import { DatabaseSync } from 'node:sqlite'

import { isRefName } from '../../git/ref-name.ts'
import { oid } from '../../validation/names.ts'
import { INTERNAL_ADDRESS_KEY } from '../internal-address.ts'
import type { ProjectedRef } from '../repositories/projection.ts'
import { BackupError } from './error.ts'

export interface CopiedRepository {
  readonly id: string
  readonly owner: string
  readonly name: string
  /** What HEAD points to. */
  readonly head: string
}

/** The database of a backup. No node works on it, so it is no WAL database: all of it is in one file. */
export class DatabaseCopy {
  readonly #database: DatabaseSync

  constructor(path: string, { readOnly }: { readonly readOnly: boolean }) {
    this.#database = new DatabaseSync(path, { readOnly, enableForeignKeyConstraints: true })
    if (!readOnly) this.#database.exec('PRAGMA journal_mode = DELETE')
  }

  /** Without what holds for the running node alone, and without what is being deleted. */
  settle(): void {
    this.#database.prepare('DELETE FROM settings WHERE key = ?').run(INTERNAL_ADDRESS_KEY)
    this.#database.exec('DELETE FROM repositories WHERE deleted_at IS NOT NULL')
  }

  repositories(): CopiedRepository[] {
    const statement = this.#database.prepare(
      `SELECT r.id, o.name AS owner, r.name, r.head FROM repositories r JOIN owners o ON o.id = r.owner_id
        WHERE r.deleted_at IS NULL ORDER BY o.name, r.name`,
    )
    const rows = statement.all() as unknown as CopiedRepository[]
    for (const { owner, name, head } of rows) {
      if (!isRefName(head)) throw damaged(`HEAD of ${owner}/${name} is no ref`)
    }
    return rows
  }

  refs(repositoryId: string): ProjectedRef[] {
    const statement = this.#database.prepare('SELECT name, oid, peeled FROM refs WHERE repository_id = ? ORDER BY name')
    const rows = statement.all(repositoryId) as unknown as ProjectedRef[]
    for (const { name, oid: target, peeled } of rows) {
      const oids = peeled === null ? [target] : [target, peeled]
      if (!isRefName(name) || !oids.every((one) => oid.safeParse(one).success)) throw damaged('it holds what is no ref')
    }
    return rows
  }

  /** With its refs and its log. */
  remove(repositoryId: string): void {
    this.#database.prepare('DELETE FROM repositories WHERE id = ?').run(repositoryId)
  }

  close(): void {
    this.#database.close()
  }
}

function damaged(reason: string): BackupError {
  return new BackupError({ code: 'database_damaged' }, `The database is damaged: ${reason}`)
}
