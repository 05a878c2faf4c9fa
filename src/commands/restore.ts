import { resolve } from 'node:path'
import * as z from 'zod'
import { loadConfig } from '../config/load.ts'
import { backupId } from '../storage/backup/manifest.ts'
import { restoreBackup } from '../storage/backup/restore-backup.ts'
import { diskFileSystem } from '../storage/file-system.ts'
import { countOf, withProgressBar } from './backup-output.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit.ts'

export const restore = defineCommand({
  name: 'restore',
  summary: 'Make a data directory of a backup; nothing is replaced before all of it was checked',
  examples: [
    'guts restore --from /backup/guts --into /var/lib/guts',
    'guts restore --from /backup/guts --backup 20260102T030405678Z --into /tmp/look --json',
    'guts restore --from /backup/guts --replace',
  ],
  configuration: 'data',
  options: [
    { flags: '--from <folder>', help: 'where backups lie' },
    { flags: '--backup <id>', help: 'as `guts backup list` shows it; without it the newest' },
    { flags: '--into <folder>', help: 'data directory to be; without it that of the configuration' },
    { flags: '--replace', help: 'give the data directory that is there another name' },
  ],
  args: z.strictObject({
    from: z.string().min(1),
    backup: backupId.optional(),
    into: z.string().min(1).optional(),
    replace: z.boolean().default(false),
  }),
  async run({ from, backup: id, into, replace }, { environment, configFile: file, configFlags: flags, out }) {
    const { config } = loadConfig({ environment, flags, ...(file !== undefined && { file }), requirePrivateKey: false })
    const { directory, manifest, replaced } = await withProgressBar('restore', out.isJson, (onProgress) =>
      restoreBackup({
        from: resolve(from),
        id,
        directory: resolve(into ?? config.dataDirectory),
        replace,
        fileSystem: diskFileSystem,
        onProgress,
      }),
    )
    const { id: backup, created_at, repositories, left_out } = manifest
    const count = countOf(repositories.length, 'repository', 'repositories')
    const before = replaced === undefined ? '' : `; what was there lies in ${replaced}`
    const without = left_out.map(({ owner, name }) => `${owner}/${name}`).join(', ')
    out.result(
      { backup, created_at, directory, replaced: replaced ?? null, repositories: repositories.length, left_out },
      `${directory} is as it was at ${created_at}, with ${count}${before}${without === '' ? '' : `; without ${without}, which the backup does not have`}`,
    )
    return EXIT.fine
  },
})
