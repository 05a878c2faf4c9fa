/** Backups of a node that works on, and what is restored from them (DESIGN §6). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomInt } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { verifyBackup } from '../src/storage/backup/check-backup.ts'
import { findBackup } from '../src/storage/backup/destination.ts'
import { FileLock } from '../src/storage/file-lock.ts'
import { backUp, backUpOn, flipBit, restoreFrom } from './support/backups.ts'
import { cleanEnvironment } from './support/command-line.ts'
import { contentsOf, fsck, Git, temporaryFolder } from './support/git.ts'
import { NodeHost } from './support/hosts.ts'
import { NodeProcess } from './support/node-process.ts'
import { PowerCutDisk, type SyncCall } from './support/power-cut.ts'
import { Random } from './support/random.ts'
import { MOUNT_REFUSAL, Tmpfs } from './support/tmpfs.ts'

const SETTINGS = { environment: { GUTS_RATE_LIMIT: '0' } }
const folder = temporaryFolder('backup')
let node: NodeProcess
let host: NodeHost

beforeAll(async () => {
  node = await NodeProcess.start(SETTINGS)
  host = await NodeHost.on(node)
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** What a test has made goes with it: each backup saves all there is. */
afterEach(async () => {
  const listed = (await (await node.api('/api/repos', host.token)).json()) as { name: string }[]
  for (const { name } of listed) await remove(name)
})

/** A new repository with a commit, and the working copy that was pushed to it. */
async function pushed(name: string): Promise<{ work: Git; url: string; gitDirectory: string }> {
  const { url, gitDirectory } = await host.create(name)
  mkdirSync(join(folder.path, name))
  const work = new Git(join(folder.path, name))
  await work.run('init', '--quiet', '--initial-branch=main')
  writeFileSync(join(work.folder, 'file'), new Random(1).text(5_000))
  await work.commit('one')
  await work.run('tag', '-a', '-m', 'release', 'v1')
  await work.run('push', '--quiet', url, 'main', 'v1')
  return { work, url, gitDirectory }
}

async function pushAgain(work: Git, url: string, message: string): Promise<void> {
  writeFileSync(join(work.folder, message), message)
  await work.commit(message)
  await work.run('push', '--quiet', url, 'main')
}

async function remove(name: string): Promise<void> {
  const { status } = await node.api(`/api/repos/alice/${name}`, host.token, { method: 'DELETE' })
  expect(status).toBe(204)
}

function restoredRepository(data: string, name: string): string {
  return join(data, 'repositories', 'alice', `${name}.git`)
}

function packsOf(gitDirectory: string): string[] {
  const packs = readdirSync(join(gitDirectory, 'objects/pack')).filter((name) => name.endsWith('.pack'))
  return packs.map((name) => join(gitDirectory, 'objects/pack', name))
}

describe('what happens between the listing and the copies', () => {
  it.each<{
    name: string
    happens: (site: Awaited<ReturnType<typeof pushed>>, name: string) => Promise<void>
    restored?: false
  }>([
    { name: 'a-push', happens: ({ work, url }) => pushAgain(work, url, 'later') },
    {
      name: 'a-repack',
      happens: async ({ gitDirectory }) => void (await new Git(gitDirectory).run('gc', '--quiet', '--prune=now')),
    },
    {
      name: 'a-deleted-branch',
      happens: async ({ work, url }) => void (await work.run('push', '--quiet', url, ':refs/tags/v1', 'main:other')),
    },
    { name: 'a-deletion', happens: (_site, name) => remove(name), restored: false },
    {
      name: 'a-successor',
      async happens({ work }, name) {
        await remove(name)
        const { url } = await host.create(name)
        await pushAgain(work, url, 'of the successor')
      },
      restored: false,
    },
  ])('$name: what is restored is as it was before, or gone', async ({ name, happens, restored }) => {
    const site = await pushed(name)
    // Two packs, so that there is something to put together.
    await pushAgain(site.work, site.url, 'two')
    const before = await contentsOf(site.gitDirectory)
    const destination = join(folder.path, `${name}-backups`)
    let hasHappened = false
    const { manifest } = await backUp(node.dataDirectory, destination, async (path) => {
      if (hasHappened || !path.includes(`/${name}.git/`)) return
      hasHappened = true
      await happens(site, name)
    })
    expect({ hasHappened, leftOut: manifest.left_out }).toEqual({ hasHappened: true, leftOut: [] })
    const data = join(folder.path, `${name}-restored`)
    await restoreFrom(destination, data)
    const path = restoredRepository(data, name)
    if (restored === false) expect(existsSync(path)).toBe(false)
    else {
      await fsck(path)
      expect(await contentsOf(path)).toEqual(before)
    }
  })
})

describe('backups after the first', () => {
  it('copy nothing twice, and each is whole by itself', async () => {
    const destination = join(folder.path, 'incremental')
    const { work, url, gitDirectory } = await pushed('growing')
    const first = await backUp(node.dataDirectory, destination)
    expect(first.copiedBytes).toBe(first.bytes - first.manifest.database.bytes)
    const second = await backUp(node.dataDirectory, destination)
    expect(second.copiedBytes).toBe(0)
    expect(packsOf(restoredRepository(second.path, 'growing')).map((path) => statSync(path).nlink)).toEqual([2])
    const known = packsOf(gitDirectory)
    await pushAgain(work, url, 'two')
    const third = await backUp(node.dataDirectory, destination)
    const fresh = packsOf(gitDirectory).filter((path) => !known.includes(path))
    const files = fresh.flatMap((path) => [path, path.replace(/\.pack$/, '.idx')])
    expect(third.copiedBytes).toBe(files.reduce((sum, path) => sum + statSync(path).size, 0))
    rmSync(first.path, { recursive: true })
    rmSync(second.path, { recursive: true })
    await verifyBackup(await findBackup(destination, undefined), () => {})
    const data = join(folder.path, 'grown')
    await restoreFrom(destination, data)
    expect(await contentsOf(restoredRepository(data, 'growing'))).toEqual(await contentsOf(gitDirectory))
  })

  it('do not link to what was damaged there since, where its end tells', async () => {
    const destination = join(folder.path, 'relinked')
    const { gitDirectory } = await pushed('relinking')
    const first = await backUp(node.dataDirectory, destination)
    const [pack = ''] = packsOf(restoredRepository(first.path, 'relinking'))
    flipBit(pack, -1)
    await backUp(node.dataDirectory, destination)
    const data = join(folder.path, 'relinked-data')
    await restoreFrom(destination, data)
    expect(await contentsOf(restoredRepository(data, 'relinking'))).toEqual(await contentsOf(gitDirectory))
  })

  it('after one that kill -9 ended in the middle is whole, and nothing is left of that', async () => {
    const destination = join(folder.path, 'killed')
    await pushed('saved')
    const module = new URL('support/backups.ts', import.meta.url).href
    const script = `
      const { backUp } = await import(${JSON.stringify(module)})
      await backUp(${JSON.stringify(node.dataDirectory)}, ${JSON.stringify(destination)}, async (path) => {
        if (!path.endsWith('.idx')) return
        process.stdout.write('in the middle')
        await new Promise((resolve) => setTimeout(resolve, 60_000))
      })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const closed = once(child, 'close')
    await Promise.race([once(child.stdout, 'data'), closed])
    child.kill('SIGKILL')
    await closed
    expect(readdirSync(destination)).toContainEqual(expect.stringMatching(/^incomplete-/))
    const listed = await node.guts('backup', 'list', '--from', destination, '--json')
    expect(listed).toMatchObject({ exitCode: 0, stdout: '[]\n' })
    const { manifest } = await backUp(node.dataDirectory, destination)
    expect(readdirSync(destination).sort()).toEqual([manifest.id, 'backup.lock'].sort())
    await verifyBackup(await findBackup(destination, undefined), () => {})
  })
})

describe('the power goes once a backup is there', () => {
  /** @param skipped which sync is only pretended. @returns what is wrong with the backup then */
  async function cutPower(skipped?: number): Promise<{ syncs: readonly SyncCall[]; damage: string | undefined }> {
    using root = temporaryFolder('backup-power')
    const destination = join(root.path, 'backups')
    mkdirSync(destination)
    const disk = new PowerCutDisk(root.path, ['backups'])
    disk.skippedSync = skipped
    const { manifest } = await backUpOn(node.dataDirectory, destination, disk)
    disk.powerOff()
    disk.forget()
    try {
      await verifyBackup(await findBackup(destination, manifest.id), () => {})
      return { syncs: disk.syncs, damage: undefined }
    } catch (error) {
      return { syncs: disk.syncs, damage: String(error) }
    }
  }

  it('and it still is, which takes every single sync', async () => {
    await pushed('synced')
    const { syncs, damage } = await cutPower()
    expect(damage).toBe(undefined)
    // Pack, index, database, manifest with its checksum; seven folders.
    expect(syncs).toHaveLength(12)
    for (const { number, what } of syncs) expect((await cutPower(number)).damage, what).not.toBe(undefined)
  })
})

describe('what goes wrong', () => {
  it('in one repository costs the backup that one alone, which is named, and the exit code', async () => {
    const { gitDirectory } = await pushed('damaged')
    const { gitDirectory: sound } = await pushed('sound')
    const [pack = ''] = packsOf(gitDirectory)
    const destination = join(folder.path, 'of-damaged')
    flipBit(pack, 100)
    try {
      const { exitCode, stdout, stderr } = await node.guts('backup', '--to', destination, '--json')
      expect(exitCode).toBe(1)
      const reason = expect.stringMatching(/pack-[0-9a-f]{40}\.pack is damaged: its checksum is wrong/) as string
      const left_out = [{ owner: 'alice', name: 'damaged', reason }]
      expect(JSON.parse(stdout)).toMatchObject({ left_out })
      expect(JSON.parse(stderr)).toMatchObject({ error: 'repositories_left_out', left_out })
    } finally {
      flipBit(pack, 100)
    }
    const data = join(folder.path, 'of-sound')
    await restoreFrom(destination, data)
    expect(existsSync(restoredRepository(data, 'damaged'))).toBe(false)
    expect(await contentsOf(restoredRepository(data, 'sound'))).toEqual(await contentsOf(sound))
  })

  it.skipIf(MOUNT_REFUSAL !== undefined)('on a disk that is full is told, and leaves it as it was', async () => {
    const { work, url } = await pushed('large')
    writeFileSync(join(work.folder, 'large'), new Random(2).text(3_000_000))
    await pushAgain(work, url, 'large-one')
    using small = new Tmpfs(2)
    await expect(backUp(node.dataDirectory, small.path)).rejects.toMatchObject({ detail: { code: 'destination_full' } })
    expect(readdirSync(small.path)).toEqual(['backup.lock'])
    const destination = join(folder.path, 'roomy')
    await backUp(node.dataDirectory, destination)
    await expect(restoreFrom(destination, join(small.path, 'data'))).rejects.toMatchObject({
      detail: { code: 'destination_full' },
    })
    expect(readdirSync(small.path)).toEqual(['backup.lock'])
  })
})

describe('places', () => {
  it('that somebody else works on, or that hold something else, are refused', async () => {
    const destination = join(folder.path, 'places')
    await backUp(node.dataDirectory, destination)
    const lock = FileLock.take(join(destination, 'backup.lock'))
    await expect(backUp(node.dataDirectory, destination)).rejects.toMatchObject({
      detail: { code: 'destination_in_use' },
    })
    lock?.release()
    await expect(backUp(node.dataDirectory, join(node.dataDirectory, 'backups'))).rejects.toMatchObject({
      detail: { code: 'destination_in_data' },
    })
    rmSync(join(node.dataDirectory, 'backups'), { recursive: true })
    const running = await node.guts('restore', '--from', destination, '--replace')
    expect(running).toMatchObject({ exitCode: 1, stdout: '' })
    expect(running.stderr).toMatch(/Another node is running on the data directory/)
    const home = join(folder.path, 'home')
    mkdirSync(home)
    writeFileSync(join(home, 'letter'), 'dear')
    await expect(restoreFrom(destination, home)).rejects.toMatchObject({ detail: { code: 'directory_not_empty' } })
    await expect(restoreFrom(destination, home, { replace: true })).rejects.toMatchObject({
      detail: { code: 'not_a_data_directory' },
    })
    await expect(restoreFrom(home, join(folder.path, 'nowhere'))).rejects.toMatchObject({
      detail: { code: 'backup_missing' },
    })
    expect(readdirSync(home)).toEqual(['letter'])
  })

  it('that hold data give way with --replace, and what is no part of a backup comes along', async () => {
    const destination = join(folder.path, 'replacing')
    const { gitDirectory } = await pushed('replaced')
    await backUp(node.dataDirectory, destination)
    const data = join(folder.path, 'to-replace')
    await restoreFrom(destination, data)
    writeFileSync(join(data, 'identity.key'), 'of the node')
    rmSync(restoredRepository(data, 'replaced'), { recursive: true })
    const { replaced = '' } = await restoreFrom(destination, data, { replace: true })
    expect(await contentsOf(restoredRepository(data, 'replaced'))).toEqual(await contentsOf(gitDirectory))
    expect(existsSync(join(data, 'identity.key'))).toBe(true)
    expect(existsSync(restoredRepository(replaced, 'replaced'))).toBe(false)
    expect(
      readdirSync(folder.path)
        .filter((name) => name.startsWith('to-replace'))
        .sort(),
    ).toEqual(['to-replace', 'to-replace.replaced-1'])
    const modes = [data, destination, join(destination, readdirSync(destination).sort()[0] ?? '')]
    expect(modes.map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700, 0o700])
  })
})

describe('under load', () => {
  const PUSHERS = ['load-one', 'load-two', 'load-three']
  const PUSHES_MAX = 60

  it('what is restored is a state that there was, and in the end equals the source', async () => {
    const seed = randomInt(2 ** 32)
    const destination = join(folder.path, 'under-load')
    /** By repository: each state that its one pusher was told of, the first one first. */
    const states = new Map<string, string[]>()
    const works = await Promise.all(PUSHERS.map(async (name) => ({ name, ...(await pushed(name)) })))
    for (const { work, url } of works) await work.run('push', '--quiet', url, 'main:pair')
    const done = new AbortController()
    const pushing = works.map(async ({ name, work, url }, number) => {
      const random = new Random(seed + number)
      const acknowledged = [await work.run('rev-parse', 'HEAD')]
      states.set(name, acknowledged)
      for (let i = 0; i < PUSHES_MAX && !done.signal.aborted; i++) {
        writeFileSync(join(work.folder, `file-${random.below(5)}`), random.text(random.below(20_000)))
        await work.commit(`commit ${i}`)
        // Known before it is told: the backup may have seen it already.
        acknowledged.push(await work.run('rev-parse', 'HEAD'))
        await work.run('push', '--quiet', '--atomic', url, 'main', 'main:pair')
      }
    })
    const rounds: { id: string; atLeast: Map<string, number> }[] = []
    try {
      for (let round = 0; round < 2; round++) {
        // The last one may be under way, and the one before is acknowledged.
        const atLeast = new Map(PUSHERS.map((name) => [name, Math.max(0, (states.get(name)?.length ?? 0) - 2)]))
        const outcome = await node.guts('backup', '--to', destination, '--json')
        expect(outcome, `seed ${seed}`).toMatchObject({ exitCode: 0, stderr: '' })
        rounds.push({ id: (JSON.parse(outcome.stdout) as { id: string }).id, atLeast })
      }
    } finally {
      done.abort()
      await Promise.all(pushing)
    }
    for (const { id, atLeast } of rounds) {
      const data = join(folder.path, `restored-${id}`)
      await restoreFrom(destination, data, { id })
      for (const name of PUSHERS) {
        await fsck(restoredRepository(data, name))
        const git = new Git(restoredRepository(data, name))
        const [main = '', pair] = (await git.run('rev-parse', 'refs/heads/main', 'refs/heads/pair')).split('\n')
        expect(pair, `seed ${seed}: atomic pushes are whole`).toBe(main)
        const state = states.get(name)?.indexOf(main) ?? -1
        expect(state, `seed ${seed}: ${name} has all that was acknowledged`).toBeGreaterThanOrEqual(
          atLeast.get(name) ?? 0,
        )
      }
    }
    const pushes = [...states.values()].map(({ length }) => length)
    expect(Math.min(...pushes), 'pushes went on').toBeGreaterThan(2)

    expect(await node.guts('backup', '--to', destination)).toMatchObject({ exitCode: 0, stderr: '' })
    const data = join(folder.path, 'restored-last')
    expect(await node.guts('restore', '--from', destination, '--into', data)).toMatchObject({ exitCode: 0, stderr: '' })
    for (const name of PUSHERS) {
      expect(await contentsOf(restoredRepository(data, name))).toEqual(await contentsOf(host.gitDirectory(name)))
    }
    await using restored = await NodeProcess.start({ ...SETTINGS, dataDirectory: data })
    const there = new NodeHost(restored, host)
    const [first] = works
    const main = await first?.work.run('rev-parse', 'main')
    expect(await first?.work.run('ls-remote', there.url('load-one'), 'HEAD')).toBe(`${main}\tHEAD`)
    if (first !== undefined) await pushAgain(first.work, there.url('load-one'), 'after')
  })
})
