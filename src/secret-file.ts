import { randomUUID } from 'node:crypto'
import { link, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasErrorCode } from './errors.ts'

/**
 * Writes a file that only its owner can read: whole or not at all, and durable.
 * @param mode `new`: rejects with EEXIST when something has that name
 */
export async function writeSecretFile(path: string, content: string, mode: 'new' | 'replace'): Promise<void> {
  const directory = dirname(path)
  const temporary = join(directory, `.${randomUUID()}.tmp`)
  const file = await open(temporary, 'wx', 0o600)
  try {
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    if (mode === 'replace') await rename(temporary, path)
    // Unlike a rename, a link takes nobody's place.
    else await link(temporary, path)
  } finally {
    await unlink(temporary).catch((error: unknown) => {
      if (!hasErrorCode(error, 'ENOENT')) throw error
    })
  }
  const folder = await open(directory, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
