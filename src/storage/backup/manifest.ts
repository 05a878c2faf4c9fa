import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import * as z from 'zod'

import { ownerName, repositoryName } from '../../validation/names.ts'
import { type FileSystem, writeDurably } from '../file-system.ts'
import { backupDamaged, BackupError } from './error.ts'
import { sizeInside } from './file-digest.ts'

/**
 * What a backup holds: every file with its size and SHA-256. It is written last, so that a folder without it is none.
 * Who restores believes nothing of it: names are held to what Guts itself would write, so none leads out of the folder.
 */
const MANIFEST_FILE = 'manifest.json'
/** As `sha256sum --check` reads it. */
const CHECKSUM_FILE = 'manifest.json.sha256'
export const DATABASE_FILE = 'guts.db'
const REPOSITORIES_FOLDER = 'repositories'

export const FORMAT_VERSION = 1
/** A million packs come to 350 MB. */
const MANIFEST_BYTES_MAX = 512 * 1024 * 1024
const FILE_MODE = 0o600

/** UTC, to the millisecond: sorted by name is sorted by time. */
export const backupId = z
  .string()
  .regex(
    /^\d{4}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])T(?:[01]\d|2[0-3])(?:[0-5]\d){2}\d{3}Z$/,
    'A backup has a name like 20260102T030405678Z',
  )

/** Packs, their indexes, and loose objects: nothing else is taken of a repository. */
const objectPath = z
  .string()
  .regex(/^objects\/(?:pack\/pack-[0-9A-Za-z-]{1,64}\.(?:pack|idx)|[0-9a-f]{2}\/[0-9a-f]{38})$/)
const size = z.int().min(0)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

const repository = z.strictObject({
  owner: ownerName,
  name: repositoryName,
  id: z.string().min(1),
  files: z.array(z.strictObject({ path: objectPath, bytes: size, sha256 })),
})

const manifest = z.strictObject({
  format: z.literal('guts backup'),
  version: z.literal(FORMAT_VERSION),
  id: backupId,
  created_at: z.iso.datetime(),
  guts_version: z.string(),
  database: z.strictObject({ bytes: size, sha256 }),
  repositories: z.array(repository),
  /** Could not be read when the backup was made, and are not in it. */
  left_out: z.array(z.strictObject({ owner: z.string(), name: z.string(), reason: z.string() })),
})

export type Manifest = z.output<typeof manifest>
export type ManifestRepository = Manifest['repositories'][number]
export type ManifestFile = ManifestRepository['files'][number]

const envelope = z.object({ format: z.literal('guts backup'), version: z.int() })

/** Where a repository's files lie below a backup, and below a data directory. */
export function repositoryFolder({ owner, name }: { readonly owner: string; readonly name: string }): string {
  return `${REPOSITORIES_FOLDER}/${owner}/${name}.git`
}

/** Durable but for the names in the folder. */
export async function writeManifest(fileSystem: FileSystem, folder: string, content: Manifest): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(content)}\n`)
  const checksum = `${sha256Of(bytes)}  ${MANIFEST_FILE}\n`
  await writeDurably(fileSystem, join(folder, CHECKSUM_FILE), Buffer.from(checksum), FILE_MODE)
  await writeDurably(fileSystem, join(folder, MANIFEST_FILE), bytes, FILE_MODE)
}

/** @throws BackupError backup_damaged, backup_version */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST_FILE)
  if ((await sizeInside(folder, MANIFEST_FILE)) > MANIFEST_BYTES_MAX) throw backupDamaged(path, 'is too large')
  if ((await sizeInside(folder, CHECKSUM_FILE)) > 1024) throw backupDamaged(path, 'has no checksum')
  const bytes = await readFile(path)
  const checksum = await readFile(join(folder, CHECKSUM_FILE), 'latin1')
  if (checksum !== `${sha256Of(bytes)}  ${MANIFEST_FILE}\n`) throw backupDamaged(path, 'does not match its checksum')
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw backupDamaged(path, 'is not JSON', cause)
  }
  const version = envelope.safeParse(value).data?.version
  if (version !== undefined && version !== FORMAT_VERSION) {
    const message = `The backup ${folder} has format ${version}; this version of Guts reads ${FORMAT_VERSION}`
    throw new BackupError({ code: 'backup_version', version }, message)
  }
  const parsed = manifest.safeParse(value)
  if (!parsed.success) throw backupDamaged(path, `is not a manifest: ${z.prettifyError(parsed.error)}`)
  assertNoDoubles(path, parsed.data)
  return parsed.data
}

export function totalBytes({ database, repositories }: Manifest): number {
  return repositories.reduce((sum, { files }) => files.reduce((part, { bytes }) => part + bytes, sum), database.bytes)
}

function assertNoDoubles(path: string, { repositories }: Manifest): void {
  const places = repositories.flatMap((one) => [
    repositoryFolder(one),
    ...one.files.map((file) => `${repositoryFolder(one)}/${file.path}`),
  ])
  if (new Set(places).size !== places.length) throw backupDamaged(path, 'names something twice')
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
