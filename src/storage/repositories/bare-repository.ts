import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import type { FileSystem } from '../file-system.ts'
import { writeDurably } from '../file-system.ts'

const CONFIG = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
`

/**
 * Makes an empty bare repository that C git reads, durable but for the folder's own name and its refs: HEAD and what
 * lies below refs/ are a projection of the database, which a start writes anew (DESIGN §6).
 *
 * @param path does not exist yet; its parent does
 * @param head e.g. refs/heads/main
 */
export async function createBareRepository(fileSystem: FileSystem, path: string, head: string): Promise<void> {
  await fileSystem.makeDirectory(path)
  for (const directory of ['objects', 'objects/info', 'objects/pack', 'refs', 'refs/heads', 'refs/tags']) {
    await fileSystem.makeDirectory(join(path, directory))
  }
  const headFile = await fileSystem.create(join(path, 'HEAD'))
  try {
    await headFile.write(Buffer.from(`ref: ${head}\n`), 0)
  } finally {
    await headFile.close()
  }
  await writeDurably(fileSystem, join(path, 'config'), Buffer.from(CONFIG))
  await fileSystem.syncDirectory(join(path, 'objects'))
  await fileSystem.syncDirectory(path)
}

const FOLDERS_WHEN_UNUSED: Readonly<Record<string, readonly string[]>> = {
  '.': ['HEAD', 'config', 'objects', 'refs'],
  objects: ['info', 'pack'],
  'objects/info': [],
  'objects/pack': [],
  refs: ['heads', 'tags'],
  'refs/heads': [],
  'refs/tags': [],
}

/**
 * Whether a folder holds nothing but what `createBareRepository` makes: no object, no ref, nothing that somebody put
 * there. Of that a part may be missing: what is not synced there, a power cut takes.
 */
export async function isUnusedRepository(path: string): Promise<boolean> {
  for (const [folder, expected] of Object.entries(FOLDERS_WHEN_UNUSED)) {
    try {
      const found = await readdir(join(path, folder))
      if (!found.every((name) => expected.includes(name))) return false
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) return false
    }
  }
  return true
}
