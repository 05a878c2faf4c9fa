import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises'
import { join } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import type { FileSystem } from '../file-system.ts'
import { backupDamaged, BackupError } from './error.ts'

const CHUNK_BYTES = 1024 * 1024
/** git ends packs and indexes with the SHA-1 of all that comes before (gitformat-pack). */
const SEAL_BYTES = 20
const FILE_MODE = 0o600

export interface FileDigest {
  readonly bytes: number
  readonly sha256: string
  /** Whether it ends with the SHA-1 of all that comes before. */
  readonly isSealed: boolean
}

type OnChunk = (chunk: Buffer, position: number) => Promise<void> | void

/**
 * Reads a whole file.
 *
 * @param onChunk gets every byte; the chunk is valid until its promise is settled
 * @throws BackupError file_gone, file_unreadable; and what `onChunk` throws
 */
export async function digestFile(path: string, onChunk: OnChunk = () => {}): Promise<FileDigest> {
  const handle = await reading(path, () => openFile(path))
  try {
    const { size } = await reading(path, () => handle.stat())
    const sha256 = createHash('sha256')
    const sha1 = createHash('sha1')
    const seal = Buffer.alloc(SEAL_BYTES)
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    for (let position = 0; position < size;) {
      const { bytesRead } = await reading(path, () => handle.read(buffer, 0, CHUNK_BYTES, position))
      if (bytesRead === 0) throw unreadable(path, 'it became shorter')
      const chunk = buffer.subarray(0, Math.min(bytesRead, size - position))
      const sealAt = Math.max(0, size - SEAL_BYTES)
      const inBody = Math.min(chunk.length, Math.max(0, sealAt - position))
      sha256.update(chunk)
      sha1.update(chunk.subarray(0, inBody))
      if (inBody < chunk.length) chunk.copy(seal, position + inBody - sealAt, inBody)
      await onChunk(chunk, position)
      position += chunk.length
    }
    return { bytes: size, sha256: sha256.digest('hex'), isSealed: size > SEAL_BYTES && sha1.digest().equals(seal) }
  } finally {
    await handle.close()
  }
}

/** Copies a file durably but for its name; a copy that fails leaves none. @throws as `digestFile` */
export async function copyFile(
  source: string,
  target: string,
  fileSystem: FileSystem,
  { mode = FILE_MODE, onBytes }: { readonly mode?: number; readonly onBytes: (bytes: number) => void },
): Promise<FileDigest> {
  const file = await fileSystem.create(target, mode)
  try {
    try {
      const digest = await digestFile(source, async (chunk, position) => {
        await file.write(chunk, position)
        onBytes(chunk.length)
      })
      await file.sync()
      return digest
    } finally {
      await file.close()
    }
  } catch (error) {
    await fileSystem.unlink(target)
    throw error
  }
}

/** Whether both have the same size and the same last bytes, in which git's files carry a checksum of all the others. */
export async function endsAlike(one: string, other: string): Promise<boolean> {
  const [first, second] = [await readEnd(one), await readEnd(other)]
  return first !== undefined && second !== undefined && first.size === second.size && first.end.equals(second.end)
}

/**
 * Of a file that somebody else names: a plain one, on a way without links.
 *
 * @throws BackupError backup_damaged
 */
export async function sizeInside(folder: string, path: string): Promise<number> {
  const whole = join(folder, path)
  let isPlain: boolean
  let size: number
  try {
    const stat = await lstat(whole)
    size = stat.size
    isPlain = stat.isFile() && (await realpath(whole)) === join(await realpath(folder), path)
  } catch (cause) {
    throw backupDamaged(whole, hasErrorCode(cause, 'ENOENT') ? 'is missing' : 'cannot be read', cause)
  }
  if (!isPlain) throw backupDamaged(whole, 'is not a plain file')
  return size
}

async function readEnd(path: string): Promise<{ size: number; end: Buffer } | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await openFile(path)
    const { size } = await handle.stat()
    const end = Buffer.alloc(Math.min(SEAL_BYTES, size))
    await handle.read(end, 0, end.length, size - end.length)
    return { size, end }
  } catch {
    // Then it is read as a whole, which says why it cannot be.
    return undefined
  } finally {
    await handle?.close()
  }
}

/** Neither through a link at its end nor waiting for the other end of a pipe. */
function openFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (hasErrorCode(cause, 'ENOENT')) {
      throw new BackupError({ code: 'file_gone', path }, `${path} is not there any more`, { cause })
    }
    throw unreadable(path, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function unreadable(path: string, reason: string, cause?: unknown): BackupError {
  return new BackupError({ code: 'file_unreadable', path }, `${path} cannot be read: ${reason}`, { cause })
}
