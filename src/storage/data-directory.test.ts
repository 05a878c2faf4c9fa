import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { clearLeftovers, dataPaths, DirectoryLock, prepareDataDirectory } from './data-directory.ts'
import { diskFileSystem, writeDurably } from './file-system.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder('data-directory')
})
afterEach(() => folder[Symbol.dispose]())

const inUse = expect.objectContaining({ detail: expect.objectContaining({ code: 'data_directory_in_use' }) })
const unusable = { detail: { code: 'data_directory_unusable' } }

describe('the folders', () => {
  it('are made where they are missing, for nobody else to read', async () => {
    const paths = await prepareDataDirectory(join(folder.path, 'a/b'))
    for (const path of [paths.root, paths.repositories, paths.quarantine, paths.trash]) {
      expect(statSync(path).mode & 0o777).toBe(0o700)
    }
    await prepareDataDirectory(paths.root)
  })

  it.each([
    { name: 'a file is in the way', path: 'file' },
    { name: 'a file is on the way', path: 'file/below' },
  ])('are refused where $name', async ({ path }) => {
    writeFileSync(join(folder.path, 'file'), '')
    await expect(prepareDataDirectory(join(folder.path, path))).rejects.toMatchObject(unusable)
  })

  it('are cleared of what a crash left half done, and of nothing else', async () => {
    const paths = await prepareDataDirectory(folder.path)
    for (const path of [paths.quarantine, paths.trash, paths.repositories]) {
      mkdirSync(join(path, 'some/deep'), { recursive: true })
      writeFileSync(join(path, 'some/deep/file'), '')
      writeFileSync(join(path, 'file'), '')
    }
    await clearLeftovers(paths, diskFileSystem)
    expect([readdirSync(paths.quarantine), readdirSync(paths.trash)]).toEqual([[], []])
    expect(existsSync(join(paths.repositories, 'some/deep/file'))).toBe(true)
  })
})

describe('the lock', () => {
  it('is held by one at a time', async () => {
    const paths = await prepareDataDirectory(folder.path)
    const lock = DirectoryLock.take(paths)
    expect(() => DirectoryLock.take(paths)).toThrow(inUse)
    lock.release()
    DirectoryLock.take(paths).release()
  })

  it("is no other folder's", async () => {
    const one = DirectoryLock.take(await prepareDataDirectory(join(folder.path, 'one')))
    DirectoryLock.take(await prepareDataDirectory(join(folder.path, 'two'))).release()
    one.release()
  })

  it('goes with its process, however that ends', async () => {
    const paths = await prepareDataDirectory(folder.path)
    // Nothing in this program refers to the lock: the garbage collector must not release it.
    const program = `
      const { DirectoryLock, dataPaths } = await import(${JSON.stringify(new URL('data-directory.ts', import.meta.url).href)})
      DirectoryLock.take(dataPaths(${JSON.stringify(folder.path)}))
      setTimeout(() => {
        gc()
        console.log('held')
      })
      setInterval(() => {}, 1000)`
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const other = spawn(process.execPath, ['--expose-gc', '--input-type=module', '--eval', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const exited = once(other, 'exit')
      try {
        const [line] = (await once(other.stdout, 'data')) as [Buffer]
        expect(line.toString()).toBe('held\n')
        expect(() => DirectoryLock.take(paths)).toThrow(inUse)
      } finally {
        other.kill(signal)
        await exited
      }
      DirectoryLock.take(paths).release()
    }
  })

  it('is refused where the folder cannot be written, as a folder that cannot be used', async () => {
    const paths = dataPaths(join(folder.path, 'none'))
    expect(() => DirectoryLock.take(paths)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining(unusable.detail) }),
    )
  })

  it('leaves no descriptors where it is refused', async () => {
    const paths = await prepareDataDirectory(folder.path)
    const lock = DirectoryLock.take(paths)
    const before = readdirSync('/proc/self/fd').length
    for (let i = 0; i < 20; i++) expect(() => DirectoryLock.take(paths)).toThrow(inUse)
    // One is kept by SQLite: closing it would drop the lock that is held (POSIX).
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 1)
    lock.release()
  })
})

describe('the file system', () => {
  const path = (): string => join(folder.path, 'file')

  it('creates what is not there, and nothing else', async () => {
    await writeDurably(diskFileSystem, path(), Buffer.from('one'), 0o600)
    expect(statSync(path()).mode & 0o777).toBe(0o600)
    await expect(diskFileSystem.create(path())).rejects.toMatchObject({ code: 'EEXIST' })
  })

  it('writes all bytes where they belong, in any order', async () => {
    const file = await diskFileSystem.create(path())
    await file.write(Buffer.from('world'), 6)
    await file.write(Buffer.from('hello '), 0)
    await file.write(Buffer.alloc(0), 0)
    await file.write(Buffer.from(new Uint8Array(Buffer.from('xxEARTHxx')).buffer, 2, 5), 6)
    await file.sync()
    await file.close()
    expect(readFileSync(path(), 'utf8')).toBe('hello EARTH')
    await expect(file.write(Buffer.from('late'), 0)).rejects.toThrow()
  })

  it('writes on where the disk took a part only', async () => {
    const handle = await open(join(folder.path, 'other'), 'w')
    const prototype = Object.getPrototypeOf(handle) as { write: FileHandle['write'] }
    await handle.close()
    const { write } = prototype
    const few = vi.spyOn(prototype, 'write').mockImplementation(function (
      this: FileHandle,
      ...[bytes, at, length, position]: unknown[]
    ) {
      return Reflect.apply(write, this, [bytes, at, Math.min(Number(length), 3), position])
    } as never)
    const file = await diskFileSystem.create(path())
    await file.write(Buffer.from('hello earth'), 2)
    await file.close()
    few.mockRestore()
    expect(readFileSync(path(), 'latin1')).toBe('\0\0hello earth')
  })

  it('removes trees, also those that are not there, and syncs folders only', async () => {
    mkdirSync(join(folder.path, 'tree/deep'), { recursive: true })
    chmodSync(join(folder.path, 'tree/deep'), 0o500)
    await diskFileSystem.removeTree(join(folder.path, 'tree'))
    await diskFileSystem.removeTree(join(folder.path, 'tree'))
    expect(existsSync(join(folder.path, 'tree'))).toBe(false)
    writeFileSync(path(), '')
    await expect(diskFileSystem.syncDirectory(path())).rejects.toMatchObject({ code: 'ENOTDIR' })
    await diskFileSystem.syncDirectory(folder.path)
  })

  it('closes its file where writing fails', async () => {
    const closed: string[] = []
    const full = {
      ...diskFileSystem,
      async create() {
        return {
          async write() {
            throw new Error('no space')
          },
          async sync() {},
          async close() {
            closed.push('closed')
          },
        }
      },
    }
    await expect(writeDurably(full, path(), Buffer.from('x'))).rejects.toThrow('no space')
    expect(closed).toEqual(['closed'])
  })
})
