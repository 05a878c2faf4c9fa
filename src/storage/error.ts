import { GutsError, hasErrorCode } from '../errors.ts'

/** What goes wrong in storage itself, as opposed to what a client asked for wrongly. */
export class StorageError extends GutsError<
  | { readonly code: 'object_missing' | 'object_damaged'; readonly oid: string }
  | { readonly code: 'data_directory_in_use' | 'data_directory_unusable'; readonly directory: string }
  | { readonly code: 'lease_lost' }
  | { readonly code: 'disk_full'; readonly freeBytes: number; readonly limitBytes: number }
  | { readonly code: 'database_closed' }
  /** `undone`: certainly nothing was written; else it failed at the commit itself, and nobody can tell. */
  | { readonly code: 'database_failed'; readonly undone: boolean }
  | { readonly code: 'sqlite_too_old'; readonly found: string; readonly needed: string }
  | {
      readonly code: 'repository_missing' | 'repository_is_mirror' | 'directory_in_the_way'
      readonly repository: string
    }
> {}

/** No byte more can be written, on the disk or for this user. */
export function isDiskFull(error: unknown): boolean {
  return hasErrorCode(error, 'ENOSPC', 'EDQUOT')
}

/** For a write whose guard of the lease did not hold. */
export function leaseLost(): StorageError {
  return new StorageError({ code: 'lease_lost' }, 'This process no longer holds the lease on the data')
}
