import { randomBytes } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { deflate } from './deflate.ts'

describe('deflate', () => {
  const sizes = [0, 1, 31, 4_096, 16_383, 16_384, 65_535, 65_536, 65_537, 300_000]
  it.each(sizes)('of %d bytes makes what node:zlib makes, one after another', (bytes) => {
    for (const data of [randomBytes(bytes), Buffer.alloc(bytes, 'tree of many equal names '), randomBytes(bytes)]) {
      expect(deflate(data).equals(deflateSync(data))).toBe(true)
      expect(inflateSync(deflate(data)).equals(data)).toBe(true)
    }
  })
})
