import { join } from 'node:path'

import type { FileSystem } from '../file-system.ts'
import { writeDurably } from '../file-system.ts'

const CONFIG = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
`

/**
 * Makes an empty bare repository that C git reads, durable but for the folder's own name.
 *
 * @param path does not exist yet; its parent does
 * @param head e.g. refs/heads/main
 */
export async function createBareRepository(fileSystem: FileSystem, path: string, head: string): Promise<void> {
  const directories = ['objects', 'objects/info', 'objects/pack', 'refs', 'refs/heads', 'refs/tags']
  await fileSystem.makeDirectory(path)
  for (const directory of directories) await fileSystem.makeDirectory(join(path, directory))
  await writeDurably(fileSystem, join(path, 'HEAD'), Buffer.from(`ref: ${head}\n`))
  await writeDurably(fileSystem, join(path, 'config'), Buffer.from(CONFIG))
  for (const directory of [...directories, '.']) await fileSystem.syncDirectory(join(path, directory))
}
