import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { encodePackHeader } from '../git/pack/header.ts'
import { FLUSH } from '../git/pkt-line.ts'
import type { Framing } from '../git/protocol/side-band.ts'
import { diskFileSystem, type FileSystem } from '../storage/file-system.ts'
import { extentOf, type GrowingPack } from './growing-pack.ts'
import { type Build, PackCache, type ReadyPack } from './pack-cache.ts'
import { PIECE_BYTES, pieceBytesOf } from './pack-framing.ts'
import { sendPack } from './pack-stream.ts'
import { ONE_WANT } from './testing.ts'

const OBJECTS = 5
const AROUND = { head: Buffer.from('head'), tail: FLUSH }
/** From here on a pack is sent before it is whole. */
const EARLY_BYTES = 2 * PIECE_BYTES

let folder: string
let errors: unknown[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guts-growing-'))
  errors = []
})

afterEach(() => {
  rmSync(folder, { recursive: true })
  expect(errors).toEqual([])
})

const cacheOn = (fileSystem: FileSystem): PackCache => new PackCache(fileSystem, folder, (error) => errors.push(error))

function contentOf(bytes: number): Buffer {
  const content = Buffer.from(Array.from({ length: bytes }, (_, at) => (at * 2_654_435_761) >>> 24))
  encodePackHeader(OBJECTS).copy(content)
  return content
}

/** A build that stands still where the test wants it to. */
class SlowBuild {
  builds = 0
  readonly #content: Buffer
  readonly #stopAt: number
  readonly #go = Promise.withResolvers<void>()

  constructor(content: Buffer, stopAt: number) {
    this.#content = content
    this.#stopAt = stopAt
  }

  readonly build: Build = async (file) => {
    this.builds++
    const parts = [this.#content.subarray(0, this.#stopAt), this.#content.subarray(this.#stopAt)] as const
    await file.write(parts[0], 0)
    await this.#go.promise
    await file.write(parts[1], this.#stopAt)
    return { kind: 'built', objects: OBJECTS, bytes: this.#content.length }
  }

  goOn(): void {
    this.#go.resolve()
  }

  fail(error: Error): void {
    this.#go.reject(error)
  }
}

async function send(pack: ReadyPack | GrowingPack, framing: Framing, onPiece?: () => void): Promise<Buffer> {
  const pieces: Buffer[] = []
  try {
    await sendPack(pack.reader, extentOf(pack), { framing, ...AROUND }, async (piece) => {
      pieces.push(Buffer.from(piece))
      onPiece?.()
    })
  } finally {
    await pack.reader.close()
  }
  return Buffer.concat(pieces)
}

describe.each(['none', 'side-band', 'side-band-64k'] as const)(
  'a pack that is sent while it is made: %s',
  (framing) => {
    const piece = pieceBytesOf(framing)
    const whole = Math.ceil((EARLY_BYTES + 1) / piece) * piece

    it.each([EARLY_BYTES + 1, whole - 1, whole, whole + 1, 2 * whole + 7])(
      '%i bytes arrive as they are',
      async (bytes) => {
        const cache = cacheOn(diskFileSystem)
        const slow = new SlowBuild(contentOf(bytes), EARLY_BYTES)
        const early = await cache.openEarly('repository', ONE_WANT, slow.build)
        expect(early).toMatchObject({ growth: { bytes: EARLY_BYTES }, objects: OBJECTS })
        const arrived = await send(early, framing, () => slow.goOn())
        const kept = await cache.openEarly('repository', ONE_WANT, slow.build)
        expect(kept).toMatchObject({ bytes, objects: OBJECTS })
        expect(arrived.equals(await send(kept, framing))).toBe(true)
        expect('growth' in early && early.growth.bytes).toBe(bytes)
        expect(slow.builds).toBe(1)
      },
    )
  },
)

it('is not sent before it is made where it is small', async () => {
  const slow = new SlowBuild(contentOf(EARLY_BYTES - 1), EARLY_BYTES - 2)
  const opening = cacheOn(diskFileSystem).openEarly('repository', ONE_WANT, slow.build)
  slow.goOn()
  const pack = await opening
  expect(pack).toMatchObject({ bytes: EARLY_BYTES - 1 })
  await pack.reader.close()
})

it('is waited for by whoever needs all of it', async () => {
  const slow = new SlowBuild(contentOf(2 * EARLY_BYTES), EARLY_BYTES)
  const opening = cacheOn(diskFileSystem).open('repository', ONE_WANT, slow.build)
  slow.goOn()
  const pack = await opening
  expect(pack).toMatchObject({ bytes: 2 * EARLY_BYTES })
  await pack.reader.close()
})

it('has no end where it fails: who sends it hears why, who waited for it builds, and nothing of it is left', async () => {
  const cache = cacheOn(diskFileSystem)
  const [failing, other] = [new SlowBuild(contentOf(EARLY_BYTES + 1), EARLY_BYTES), new SlowBuild(contentOf(9_000), 99)]
  const early = await cache.openEarly('repository', ONE_WANT, failing.build)
  const waiting = cache.openEarly('repository', ONE_WANT, other.build)
  const sending = send(early, 'side-band-64k')
  failing.fail(new Error('a pack of the store is damaged'))
  await expect(sending).rejects.toThrow('a pack of the store is damaged')
  other.goOn()
  const built = await waiting
  expect(built).toMatchObject({ bytes: 9_000 })
  await built.reader.close()
  expect(readdirSync(folder)).toHaveLength(1)
})

it('grows whether or not anybody reads it', async () => {
  const cache = cacheOn(diskFileSystem)
  const slow = new SlowBuild(contentOf(3 * EARLY_BYTES), EARLY_BYTES)
  const early = await cache.openEarly('repository', ONE_WANT, slow.build)
  slow.goOn()
  // Resolved by what was made: nothing of the first one was read so far.
  const kept = await cache.openEarly('repository', ONE_WANT, slow.build)
  expect((await send(early, 'none')).equals(await send(kept, 'none'))).toBe(true)
})

describe('on a full disk', () => {
  /** Has room for so many bytes, in all files together that are not removed. */
  function small(roomBytes: number): FileSystem {
    const sizes = new Map<string, number>()
    const full = (): Error => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    const used = (): number => Array.from(sizes.values()).reduce((sum, bytes) => sum + bytes, 0)
    return {
      ...diskFileSystem,
      async create(path, mode) {
        if (used() >= roomBytes) throw full()
        const file = await diskFileSystem.create(path, mode)
        sizes.set(path, 0)
        return {
          sync: () => file.sync(),
          close: () => file.close(),
          async write(bytes, position) {
            if (used() - (sizes.get(path) ?? 0) + position + bytes.length > roomBytes) throw full()
            await file.write(bytes, position)
            sizes.set(path, position + bytes.length)
          },
        }
      },
      async unlink(path) {
        await diskFileSystem.unlink(path)
        sizes.delete(path)
      },
    }
  }

  it.each([
    { where: 'at its begin', keptBytes: 2 * EARLY_BYTES },
    { where: 'in its midst', keptBytes: 100 },
  ])('makes room with what is kept for later, and goes on: $where', async ({ keptBytes }) => {
    const cache = cacheOn(small(2 * EARLY_BYTES))
    const kept = new SlowBuild(contentOf(keptBytes), 99)
    kept.goOn()
    await (await cache.open('repository', { ...ONE_WANT, wants: ['b'] }, kept.build)).reader.close()
    const slow = new SlowBuild(contentOf(2 * EARLY_BYTES), EARLY_BYTES)
    const early = await cache.openEarly('repository', ONE_WANT, slow.build)
    slow.goOn()
    expect((await send(early, 'none')).subarray(4, -4).equals(contentOf(2 * EARLY_BYTES))).toBe(true)
    expect(slow.builds).toBe(1)
    await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(1))
  })

  it('says so where nothing can make room', async () => {
    const cache = cacheOn(small(EARLY_BYTES))
    const slow = new SlowBuild(contentOf(2 * EARLY_BYTES), EARLY_BYTES)
    const early = await cache.openEarly('repository', ONE_WANT, slow.build)
    slow.goOn()
    await expect(send(early, 'none')).rejects.toMatchObject({ code: 'ENOSPC' })
    await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]))
  })
})
