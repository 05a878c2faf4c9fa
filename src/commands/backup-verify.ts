import { resolve } from 'node:path'
import * as z from 'zod'
import { verifyBackup } from '../storage/backup/check-backup.ts'
import { findBackup } from '../storage/backup/destination.ts'
import { backupId, totalBytes } from '../storage/backup/manifest.ts'
import { countOf, megabytes, withProgressBar } from './backup-output.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit.ts'

export const backupVerify = defineCommand({
  name: 'backup verify',
  summary: 'Read a whole backup, and check every file and everything that refs need',
  examples: [
    'guts backup verify --from /backup/guts',
    'guts backup verify --from /backup/guts --backup 20260102T030405678Z --json',
  ],
  configuration: 'none',
  options: [
    { flags: '--from <folder>', help: 'where backups lie' },
    { flags: '--backup <id>', help: 'as `guts backup list` shows it; without it the newest' },
  ],
  args: z.strictObject({ from: z.string().min(1), backup: backupId.optional() }),
  async run({ from, backup: id }, { out }) {
    const found = await findBackup(resolve(from), id)
    await withProgressBar('verify', out.isJson, (onProgress) => verifyBackup(found, onProgress))
    const { manifest, path } = found
    const repositories = manifest.repositories.length
    const bytes = totalBytes(manifest)
    out.result(
      { id: manifest.id, path, repositories, bytes, verified: true },
      `${path} is whole: ${countOf(repositories, 'repository', 'repositories')}, ${megabytes(bytes)}`,
    )
    return EXIT.fine
  },
})
