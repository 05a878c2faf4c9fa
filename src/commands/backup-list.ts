import { resolve } from 'node:path'
import * as z from 'zod'
import { backupIds, findBackup } from '../storage/backup/destination.ts'
import { BackupError } from '../storage/backup/error.ts'
import { totalBytes } from '../storage/backup/manifest.ts'
import { megabytes } from './backup-output.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'

export const backupList = defineCommand({
  name: 'backup list',
  summary: 'List the backups, oldest first',
  examples: ['guts backup list --from /backup/guts', 'guts backup list --from /backup/guts --json'],
  configuration: 'none',
  options: [{ flags: '--from <folder>', help: 'where backups lie' }],
  args: z.strictObject({ from: z.string().min(1) }),
  async run({ from }, { out }) {
    const rows = []
    for (const id of await backupIds(resolve(from))) rows.push(await describe(resolve(from), id))
    const cells = rows.map(({ id, created_at, repositories, bytes, error }) => [
      id,
      created_at ?? '',
      String(repositories ?? ''),
      bytes === null ? '' : megabytes(bytes),
      error ?? '',
    ])
    out.result(rows, tableText(['backup', 'made', 'repositories', 'size', ''], cells))
    return rows.every(({ error }) => error === null) ? EXIT.fine : EXIT.failed
  },
})

/** A damaged one is listed, too: nobody should count on it. */
async function describe(
  from: string,
  id: string,
): Promise<{
  id: string
  created_at: string | null
  repositories: number | null
  left_out: number | null
  bytes: number | null
  error: string | null
}> {
  try {
    const { manifest } = await findBackup(from, id)
    const { created_at, repositories, left_out } = manifest
    const counts = { repositories: repositories.length, left_out: left_out.length }
    return { id, created_at, ...counts, bytes: totalBytes(manifest), error: null }
  } catch (error) {
    if (!(error instanceof BackupError)) throw error
    return { id, created_at: null, repositories: null, left_out: null, bytes: null, error: error.message }
  }
}
