import { GutsError } from '../../errors.ts'

/** Why a backup was not made, or is not restored, in words for the operator. */
export class BackupError extends GutsError<
  | { readonly code: 'no_data' | 'not_a_data_directory' | 'directory_not_empty'; readonly directory: string }
  | { readonly code: 'destination_in_use' | 'destination_full' | 'destination_in_data'; readonly destination: string }
  | { readonly code: 'restore_under_way'; readonly directory: string }
  | { readonly code: 'database_damaged' }
  /** Of the source: went away since it was listed, cannot be read, or is not what its own checksum says. */
  | { readonly code: 'file_gone' | 'file_unreadable' | 'file_damaged'; readonly path: string }
  | { readonly code: 'folder_gone' | 'never_at_rest' | 'object_missing'; readonly repository: string }
  | { readonly code: 'backup_missing'; readonly destination: string }
  | { readonly code: 'backup_damaged'; readonly path: string }
  | { readonly code: 'backup_version'; readonly version: number }
> {}

export function backupDamaged(path: string, reason: string, cause?: unknown): BackupError {
  return new BackupError({ code: 'backup_damaged', path }, `The backup is damaged: ${path} ${reason}`, { cause })
}
