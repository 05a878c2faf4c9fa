/** Backups that were damaged or forged: nothing is restored of them, and nothing is touched (DESIGN §6). */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyBackup } from '../src/storage/backup/check-backup.ts'
import { findBackup } from '../src/storage/backup/destination.ts'
import { backUp, flipBit, restoreFrom, rewriteManifest } from './support/backups.ts'
import { Git, temporaryFolder } from './support/git.ts'
import { NodeHost } from './support/hosts.ts'
import { NodeProcess } from './support/node-process.ts'
import { guts } from './support/command-line.ts'

const folder = temporaryFolder('damaged')
const SOUND = join(folder.path, 'sound')
let id = ''

beforeAll(async () => {
  await using node = await NodeProcess.start()
  const host = await NodeHost.on(node)
  for (const name of ['app', 'site']) {
    const { url } = await host.create(name)
    const work = new Git(join(folder.path, name))
    mkdirSync(work.folder)
    await work.run('init', '--quiet', '--initial-branch=main')
    for (const message of ['one', 'two']) {
      writeFileSync(join(work.folder, 'file'), `${message} of ${name}\n`)
      await work.commit(message)
      await work.run('push', '--quiet', url, 'main')
    }
  }
  id = (await backUp(node.dataDirectory, SOUND)).manifest.id
})
afterAll(() => folder[Symbol.dispose]())

const APP = 'repositories/alice/app.git'

/** Below a backup. */
function fileOf(backup: string, extension: string): string {
  const packs = join(backup, APP, 'objects/pack')
  const name = readdirSync(packs).find((one) => one.endsWith(extension)) ?? ''
  return join(packs, name)
}

interface Row {
  readonly name: string
  readonly damage: (backup: string) => void
  readonly code?: string
  readonly message: RegExp
}

function firstFile(backup: string, change: object): void {
  rewriteManifest(backup, ({ repositories }) => Object.assign(repositories[0]?.files[0] ?? {}, change))
}

const ROWS: readonly Row[] = [
  { name: 'one bit of a pack', damage: (at) => flipBit(fileOf(at, '.pack'), 40), message: /\.pack does not match/ },
  { name: 'one bit of an index', damage: (at) => flipBit(fileOf(at, '.idx'), 1_100), message: /\.idx does not match/ },
  {
    name: 'one bit of the database',
    damage: (at) => flipBit(join(at, 'guts.db'), 5_000),
    message: /guts\.db does not match/,
  },
  {
    name: 'one bit of the manifest',
    damage: (at) => flipBit(join(at, 'manifest.json'), 200),
    message: /manifest\.json does not match/,
  },
  {
    name: 'a manifest that ends too early',
    damage: (at) => truncateSync(join(at, 'manifest.json'), 100),
    message: /manifest\.json does not match/,
  },
  { name: 'no manifest', damage: (at) => unlinkSync(join(at, 'manifest.json')), message: /manifest\.json is missing/ },
  {
    name: 'no checksum of the manifest',
    damage: (at) => unlinkSync(join(at, 'manifest.json.sha256')),
    message: /sha256 is missing/,
  },
  {
    name: 'a manifest that is something else',
    damage: (at) => rewriteManifest(at, (manifest) => Object.assign(manifest, { format: 'other' })),
    message: /is not a manifest/,
  },
  {
    name: 'a manifest of a later version',
    damage: (at) => rewriteManifest(at, (manifest) => Object.assign(manifest, { version: 2 })),
    code: 'backup_version',
    message: /has format 2; this version of Guts reads 1/,
  },
  { name: 'a pack that is missing', damage: (at) => unlinkSync(fileOf(at, '.pack')), message: /\.pack is missing/ },
  { name: 'no database', damage: (at) => unlinkSync(join(at, 'guts.db')), message: /guts\.db is missing/ },
  {
    name: 'a pack that ends too early',
    damage: (at) => truncateSync(fileOf(at, '.pack'), 50),
    message: /has not the size/,
  },
  {
    name: 'a way up out of the folder',
    damage: (at) => firstFile(at, { path: '../../../../../../etc/passwd' }),
    message: /is not a manifest/,
  },
  {
    name: 'a way up behind a prefix that is right',
    damage: (at) => firstFile(at, { path: 'objects/pack/../../../../../manifest.json' }),
    message: /is not a manifest/,
  },
  { name: 'an absolute path', damage: (at) => firstFile(at, { path: '/etc/passwd' }), message: /is not a manifest/ },
  { name: 'a hook', damage: (at) => firstFile(at, { path: 'hooks/post-update' }), message: /is not a manifest/ },
  {
    name: 'an owner that leads up',
    damage: (at) => rewriteManifest(at, ({ repositories }) => Object.assign(repositories[0] ?? {}, { owner: '..' })),
    message: /is not a manifest/,
  },
  { name: 'a size below zero', damage: (at) => firstFile(at, { bytes: -1 }), message: /is not a manifest/ },
  {
    name: 'a size beyond all',
    damage: (at) => firstFile(at, { bytes: 2 ** 60 }),
    message: /is not a manifest|not the size/,
  },
  {
    name: 'the checksum of something else',
    damage: (at) => firstFile(at, { sha256: '0'.repeat(64) }),
    message: /does not match/,
  },
  {
    name: 'one file twice',
    damage: (at) => rewriteManifest(at, ({ repositories: [first] }) => first?.files.push(...first.files.slice(0, 1))),
    message: /names something twice/,
  },
  {
    name: 'a link to a file elsewhere that is right',
    damage(at) {
      const pack = fileOf(at, '.pack')
      renameSync(pack, join(at, 'elsewhere'))
      symlinkSync(join(at, 'elsewhere'), pack)
    },
    message: /is not a plain file/,
  },
  {
    name: 'a link to a folder elsewhere that is right',
    damage(at) {
      renameSync(join(at, APP), `${at}-elsewhere`)
      symlinkSync(`${at}-elsewhere`, join(at, APP))
    },
    message: /is not a plain file/,
  },
  {
    name: 'a repository that only the database knows',
    damage: (at) => rewriteManifest(at, ({ repositories }) => void repositories.pop()),
    message: /other repositories in its database/,
  },
  {
    name: 'a pack that nobody says is missing',
    damage(at) {
      const gone =
        fileOf(at, '.pack')
          .split('/')
          .at(-1)
          ?.replace(/\.pack$/, '') ?? ''
      rewriteManifest(at, ({ repositories: [first] }) => {
        first?.files.splice(0, first.files.length, ...first.files.filter(({ path }) => !path.includes(gone)))
      })
      rmSync(fileOf(at, '.pack'))
      rmSync(fileOf(at, '.idx'))
    },
    message: /Object [0-9a-f]{40} is missing/,
  },
]

it.each(ROWS)('$name: nothing is restored', async ({ name, damage, code = 'backup_damaged', message }) => {
  const from = join(folder.path, name.replaceAll(' ', '-'))
  cpSync(SOUND, from, { recursive: true })
  damage(join(from, id))
  const target = join(folder.path, 'target')
  const restoring = restoreFrom(from, target)
  await expect(restoring).rejects.toThrow(message)
  await expect(restoring).rejects.toMatchObject({ detail: { code } })
  await expect(findBackup(from, undefined).then((found) => verifyBackup(found, () => {}))).rejects.toThrow(message)
  expect(readdirSync(folder.path).filter((one) => one.startsWith('target'))).toEqual([])
})

it('a sound one is restored, so the rows above fail for their own reason', async () => {
  const target = join(folder.path, 'sound-target')
  await verifyBackup(await findBackup(SOUND, id), () => {})
  const { manifest } = await restoreFrom(SOUND, target)
  expect(manifest.repositories.map(({ name }) => name)).toEqual(['app', 'site'])
})

it('the commands tell it, and end with 1', async () => {
  const from = join(folder.path, 'told')
  cpSync(SOUND, from, { recursive: true })
  flipBit(fileOf(join(from, id), '.pack'), 40)
  for (const args of [
    ['backup', 'verify'],
    ['restore', '--into', join(folder.path, 'never')],
  ]) {
    const { exitCode, stdout, stderr } = await guts([...args, '--from', from, '--json'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({ error: 'backup_damaged' })
  }
  flipBit(join(from, id, 'manifest.json'), 40)
  const listed = await guts(['backup', 'list', '--from', from])
  expect(listed.exitCode).toBe(1)
  expect(listed.stdout).toMatch(/does not match its checksum/)
  expect(readFileSync(join(SOUND, id, 'manifest.json.sha256'), 'utf8')).toMatch(/^[0-9a-f]{64} {2}manifest\.json\n$/)
})

it('a repository with a pack under the name of another one is left out, and the others are restored', async () => {
  await using node = await NodeProcess.start({ damaged: true })
  const host = await NodeHost.on(node)
  for (const name of ['app', 'site']) {
    await new Git(join(folder.path, name)).run('push', '--quiet', (await host.create(name)).url, 'main')
  }
  const packOf = (name: string): string => {
    const packs = join(host.gitDirectory(name), 'objects/pack')
    return join(packs, readdirSync(packs).find((one) => one.endsWith('.pack')) ?? '')
  }
  const path = packOf('app')
  rmSync(path)
  writeFileSync(path, readFileSync(packOf('site')))
  const backup = join(folder.path, 'with-a-damaged-one')
  const { manifest } = await backUp(node.dataDirectory, backup)
  expect(manifest.left_out).toMatchObject([{ name: 'app' }])
  expect(manifest.repositories.map(({ name }) => name)).toEqual(['site'])
  await restoreFrom(backup, join(folder.path, 'restored-without'))
})
