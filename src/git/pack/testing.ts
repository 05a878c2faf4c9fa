/** Packs that are read from memory, for the tests beside. */
import { createCipheriv, createHash } from 'node:crypto'
import { expect } from 'vitest'
import { blob, type MadeObject } from '../../../integration/support/pack-maker.ts'
import { typeNameOf } from '../object/type.ts'
import { indexPack } from './indexer.ts'
import type { PackLimits } from './limits.ts'
import type { IndexerHooks } from './name-object.ts'
import type { ByteSource } from './source.ts'

export const LIMITS: PackLimits = {
  objectsMax: 10_000,
  objectBytesMax: 2 ** 24,
  inflatedBytesMax: 2 ** 28,
  deltaDepthMax: 50,
}

/** @param pieceBytes that it gives at a time */
export const memory = (bytes: Buffer, pieceBytes = Number.POSITIVE_INFINITY): ByteSource => ({
  bytes: bytes.length,
  read: (target, position) => bytes.copy(target, 0, position, position + Math.min(target.length, pieceBytes)),
})

/** Of a test that looks at something else. */
export const NO_HOOKS: IndexerHooks = { onDeclared() {}, onObject() {}, readBase: () => undefined, onProgress() {} }

/** Bytes that do not compress, the same for a seed. */
export const noise = (seed: number, bytes: number): MadeObject =>
  blob(createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16)).update(Buffer.alloc(bytes)))

/** A source in memory, and where it was read after its checksum, which is the last of what is read from end to end. */
export function rereadable(bytes: Buffer): { readonly source: ByteSource; readonly rereads: number[] } {
  const rereads: number[] = []
  let isRead = false
  const read = (target: Buffer, position: number): number => {
    if (isRead) rereads.push(position)
    if (position === bytes.length - 20) isRead = true
    return bytes.copy(target, 0, position)
  }
  return { source: { bytes: bytes.length, read }, rereads }
}

/** What the pack holds: hex names in the order in which they were told, each checked against its bytes. */
export function index(
  pack: Buffer | ByteSource,
  limits: Partial<PackLimits> = {},
  readBase: IndexerHooks['readBase'] = () => undefined,
) {
  const names: string[] = []
  const progress: string[] = []
  const hooks: IndexerHooks = {
    onDeclared: (objects) => progress.push(`${objects} declared`),
    onObject(type, data, oids, oidAt) {
      const oid = oids.toString('hex', oidAt, oidAt + 20)
      expect(
        createHash('sha1')
          .update(`${typeNameOf(type)} ${data.length}\0`)
          .update(data)
          .digest('hex'),
      ).toBe(oid)
      names.push(oid)
    },
    readBase,
    onProgress: (phase, done, total) => progress.push(`${phase} ${done}/${total}`),
  }
  const source = Buffer.isBuffer(pack) ? memory(pack) : pack
  return { ...indexPack(source, { ...LIMITS, ...limits }, hooks), names, progress }
}

export const detail = (code: string): unknown => expect.objectContaining({ detail: expect.objectContaining({ code }) })
