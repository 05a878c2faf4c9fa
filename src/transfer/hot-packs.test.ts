/** Packs that go out from memory: the same bytes as from their files, and no file where none is needed. */
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { encodePackHeader } from '../git/pack/header.ts'
import { FLUSH } from '../git/pkt-line.ts'
import { diskFileSystem } from '../storage/file-system.ts'
import { extentOf } from './growing-pack.ts'
import { HOT_BYTES_MAX, HOT_FRAMING } from './hot-packs.ts'
import { type Build, PackCache } from './pack-cache.ts'
import { framedBytes, pieceBytesOf } from './pack-framing.ts'
import { sendHotPack, sendPack } from './pack-stream.ts'
import { ONE_WANT } from './testing.ts'

const PIECE = pieceBytesOf(HOT_FRAMING)
const AROUND = { head: Buffer.from('head'), tail: FLUSH }

let folder: string
let cache: PackCache

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guts-hot-packs-'))
  cache = new PackCache(diskFileSystem, folder, (error) => {
    throw error
  })
})

afterEach(() => rmSync(folder, { recursive: true }))

function contentOf(bytes: number, seed = 1): Buffer {
  const content = Buffer.from(Array.from({ length: bytes }, (_, at) => ((at + seed) * 2_654_435_761) >>> 24))
  encodePackHeader(3).copy(content)
  return content
}

const building =
  (content: Buffer): Build =>
  async (file) => {
    await file.write(content, 0)
    return { kind: 'built', objects: 3, bytes: content.length }
  }

const openAgain = (build: Build): Promise<SentPack> => cache.openHot('repository', ONE_WANT, build)

type SentPack = Awaited<ReturnType<PackCache['openHot']>>

type Send = (...pieces: readonly Buffer[]) => Promise<void>

async function sendTo(pack: SentPack, send: Send): Promise<void> {
  try {
    if ('hot' in pack) await sendHotPack(pack.hot, pack.reader, AROUND.head, send)
    else await sendPack(pack.reader, extentOf(pack), { framing: HOT_FRAMING, ...AROUND }, send)
  } finally {
    await pack.reader?.close()
  }
}

async function wireOf(pack: SentPack): Promise<Buffer> {
  const pieces: Buffer[] = []
  await sendTo(pack, async (...sent) => void pieces.push(...sent.map((piece) => Buffer.from(piece))))
  return Buffer.concat(pieces)
}

const openMany = (build: Build): Promise<SentPack[]> => Promise.all(Array.from({ length: 4 }, () => openAgain(build)))

it.each([32, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])('%i bytes are the same from memory', async (bytes) => {
  const build = building(contentOf(bytes))
  const expected = await wireOf(await openAgain(build))
  expect(expected.length).toBe(framedBytes(bytes, HOT_FRAMING) + AROUND.head.length + AROUND.tail.length)
  // At the same time: they fill it for one another.
  for (const wire of await Promise.all((await openMany(build)).map(wireOf))) expect(wire.equals(expected)).toBe(true)
  // Without a file.
  const complete = await openAgain(build)
  expect(complete).toMatchObject({ reader: undefined, bytes, objects: 3 })
  expect((await wireOf(complete)).equals(expected)).toBe(true)
})

it('mixes no bytes of two packs of the same objects', async () => {
  const [one, other] = [contentOf(3 * PIECE), contentOf(3 * PIECE, 2)]
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  const storing =
    (packPath: string, content: Buffer): Build =>
    async () => {
      writeFileSync(packPath, content)
      return { kind: 'stored', packPath, objects: 3, bytes: content.length }
    }
  await wireOf(await openAgain(storing(first, one)))
  // Only its beginning is read, then maintenance puts another pack in its place.
  const left: Send = () => Promise.reject(new Error('client left'))
  await expect(sendTo(await openAgain(storing(first, one)), left)).rejects.toThrow('client left')
  rmSync(first)
  const bare = await wireOf(await openAgain(storing(second, other)))
  for (let i = 0; i < 2; i++) expect((await wireOf(await openAgain(storing(second, other)))).equals(bare)).toBe(true)
})

it('reads anew what could not be read', async () => {
  const content = contentOf(2 * PIECE)
  const build = building(content)
  const expected = await wireOf(await openAgain(build))
  const path = join(folder, readdirSync(folder)[0] ?? '')
  const pack = await openAgain(build)
  truncateSync(path, PIECE + 1)
  await expect(wireOf(pack)).rejects.toThrow('A pack ended after')
  writeFileSync(path, content)
  expect((await wireOf(await openAgain(build))).equals(expected)).toBe(true)
})

it('keeps what was asked for last, and nothing that is larger than all it may keep', async () => {
  const half = HOT_BYTES_MAX / 2 - 100_000
  const sizes = { first: half, second: half, third: half, all: HOT_BYTES_MAX }
  const open = async (name: keyof typeof sizes): Promise<SentPack> => {
    const build: Build = async (file) => {
      await file.write(encodePackHeader(1), 0)
      await file.write(Buffer.of(1), sizes[name] - 1)
      return { kind: 'built', objects: 1, bytes: sizes[name] }
    }
    return cache.openHot('repository', { ...ONE_WANT, wants: [name] }, build)
  }
  const isKept = async (name: keyof typeof sizes): Promise<boolean> => {
    const pack = await open(name)
    await pack.reader?.close()
    return pack.reader === undefined
  }
  const read = async (name: keyof typeof sizes): Promise<void> => {
    for (let i = 0; i < 2; i++) await sendTo(await open(name), async () => {})
  }
  await read('all')
  expect(await isKept('all')).toBe(false)
  for (const name of ['first', 'second', 'third'] as const) await read(name)
  expect([await isKept('second'), await isKept('third'), await isKept('first')]).toEqual([true, true, false])
})
