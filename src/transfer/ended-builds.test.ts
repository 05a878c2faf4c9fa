/** Builds of packs that end in the midst of a write: nothing of them stays open, and no file of them is left. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openFiles } from '../../integration/support/open-files.ts'
import { encodePackHeader } from '../git/pack/header.ts'
import { diskFileSystem, type FileSystem } from '../storage/file-system.ts'
import { PackGrowth } from './growing-pack.ts'
import { type Build, PackCache } from './pack-cache.ts'
import { PIECE_BYTES } from './pack-framing.ts'
import { ONE_WANT } from './testing.ts'

const EARLY_BYTES = 2 * PIECE_BYTES
const LEFT = new Error('The client left')

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guts-ended-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

const expectNothingLeft = (): Promise<void> =>
  vi.waitFor(() => expect([openFiles(folder), readdirSync(folder)]).toEqual([[], []]))

function contentOf(bytes: number): Buffer {
  const content = Buffer.alloc(bytes, 'pack')
  encodePackHeader(1).copy(content)
  return content
}

const building =
  (content: Buffer): Build =>
  async (file) => {
    await file.write(content, 0)
    return { kind: 'built', objects: 1, bytes: content.length }
  }

it('is not begun to be sent by a write that was under way when it failed, and is written no further', async () => {
  const path = join(folder, 'made.pack')
  writeFileSync(path, contentOf(EARLY_BYTES))
  const written = Promise.withResolvers<void>()
  const write = vi.fn<() => Promise<void>>(() => written.promise)
  const onBegun = vi.fn<() => void>()
  const growth = new PackGrowth({ write }, path, onBegun)
  const writing = growth.write(contentOf(EARLY_BYTES), 0)
  let isOver = false
  const failing = growth.fail(LEFT).then(() => (isOver = true))
  await nextTurn()
  // Who closes the file after that finds nothing under way.
  expect(isOver).toBe(false)
  written.resolve()
  await Promise.all([failing, writing])
  expect(await growth.end()).toBeUndefined()
  expect(onBegun).not.toHaveBeenCalled()
  await expect(growth.write(contentOf(100), EARLY_BYTES)).rejects.toBe(LEFT)
  expect(write).toHaveBeenCalledOnce()
  expect(openFiles(folder)).toEqual([])
})

it('leaves no file where its client goes while room is made for it on a full disk', async () => {
  const [asked, mayGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let isFull = false
  const fileSystem: FileSystem = {
    ...diskFileSystem,
    async create(path, mode) {
      if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      return diskFileSystem.create(path, mode)
    },
    async unlink(path) {
      asked.resolve()
      await mayGo.promise
      isFull = false
      await diskFileSystem.unlink(path)
    },
  }
  const cache = new PackCache(fileSystem, folder, () => {})
  await (await cache.open('repository', { ...ONE_WANT, wants: ['b'] }, building(contentOf(100)))).reader.close()
  isFull = true
  const client = Promise.withResolvers<never>()
  let writing: Promise<void> | undefined
  const opening = cache.openEarly('repository', ONE_WANT, (file) => {
    // As a worker thread that is ended: what it sent is still being written.
    writing = file.write(contentOf(100), 0)
    return client.promise
  })
  const refused = expect(opening).rejects.toBe(LEFT)
  await asked.promise
  client.reject(LEFT)
  await nextTurn()
  mayGo.resolve()
  await Promise.all([refused, writing])
  await expectNothingLeft()
})

it('leaves no file where its begin cannot be read', async () => {
  const cache = new PackCache(diskFileSystem, folder, () => {})
  const opening = cache.openEarly('repository', ONE_WANT, building(Buffer.alloc(EARLY_BYTES)))
  await expect(opening).rejects.toMatchObject({ name: 'PackError' })
  await expectNothingLeft()
})
