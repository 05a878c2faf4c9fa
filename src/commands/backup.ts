import { resolve } from 'node:path'
import * as z from 'zod'
import { loadConfig } from '../config/load.ts'
import { createBackup } from '../storage/backup/create-backup.ts'
import { dataPaths } from '../storage/data-directory.ts'
import { diskFileSystem } from '../storage/file-system.ts'
import { VERSION } from '../version.ts'
import { countOf, megabytes, withProgressBar } from './backup-output.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit.ts'

export const backup = defineCommand({
  name: 'backup',
  summary: 'Save database and repositories, beside a running node or without one; only what is new is copied',
  examples: ['guts backup --to /backup/guts', 'guts backup --to /backup/guts --data-dir /var/lib/guts --json'],
  configuration: 'data',
  options: [
    { flags: '--to <folder>', help: 'where backups lie, each in a folder of its own; made where it is missing' },
  ],
  args: z.strictObject({ to: z.string().min(1) }),
  async run({ to }, { environment, configFile: file, configFlags: flags, out }) {
    const { config } = loadConfig({ environment, flags, ...(file !== undefined && { file }), requirePrivateKey: false })
    const { path, manifest, bytes, copiedBytes } = await withProgressBar('backup', out.isJson, (onProgress) =>
      createBackup({
        paths: dataPaths(resolve(config.dataDirectory)),
        destination: resolve(to),
        fileSystem: diskFileSystem,
        version: VERSION,
        onProgress,
      }),
    )
    const { id, created_at, repositories, left_out } = manifest
    out.result(
      { id, path, created_at, repositories: repositories.length, bytes, copied_bytes: copiedBytes, left_out },
      `${countOf(repositories.length, 'repository', 'repositories')} saved in ${path}: ${megabytes(bytes)}, of which ${megabytes(copiedBytes)} of objects are new`,
    )
    if (left_out.length === 0) return EXIT.fine
    const reasons = left_out.map(({ owner, name, reason }) => `${owner}/${name}: ${reason}`)
    out.failure('repositories_left_out', `The backup is without ${reasons.join('; ')}`, { left_out })
    return EXIT.failed
  },
})
