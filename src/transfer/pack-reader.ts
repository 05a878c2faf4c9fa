/** What a pack is read from, piece by piece: a file. */
export interface PackReader {
  /** Fills the buffers, one after the other, from byte `position` of the pack on. */
  readv(buffers: readonly Buffer[], position: number): Promise<{ readonly bytesRead: number }>
  close(): Promise<void>
}

/**
 * Fills the buffers from the pack.
 *
 * @param bytes that all buffers hold together
 * @throws Error where the pack ends before that
 */
export async function readPack(
  reader: PackReader,
  buffers: readonly Buffer[],
  bytes: number,
  position: number,
): Promise<void> {
  const { bytesRead } = await reader.readv(buffers, position)
  // A local file gives what is asked for, unless it became shorter: then nothing sensible can be sent.
  if (bytesRead !== bytes) throw new Error(`A pack ended after ${position + bytesRead} bytes`)
}
