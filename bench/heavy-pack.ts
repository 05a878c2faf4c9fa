/** A pack of files that hardly compress, as large as one likes: what is measured with it is moving and keeping bytes. */
import { createCipheriv, createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../integration/support/git.ts'
import { fastImport } from '../integration/support/history.ts'
import { Random } from '../integration/support/random.ts'
import { makeBare } from './sources.ts'

export interface HeavyPack {
  readonly pack: Buffer
  /** Of the commit that holds everything. */
  readonly oid: string
  readonly objects: number
}

/** As files in repositories are: many small ones, and few that make up most of the bytes. */
const FILE_BYTES = { min: 2 ** 10, max: 2 ** 23 }
const FILES_PER_COMMIT = 20

/** @param folder is used and emptied */
export async function makeHeavyPack(folder: string, seed: number, packBytes: number): Promise<HeavyPack> {
  const path = join(folder, `heavy-${packBytes}.git`)
  makeBare(path)
  const git = new Git(path)
  // Even a few objects become a pack; zlib's best effort would find nothing.
  await git.run('config', 'fastimport.unpackLimit', '1')
  await git.run('config', 'pack.compression', '1')
  await fastImport(path, heavyStream(seed, packBytes))
  const packs = join(path, 'objects/pack')
  const [name = '', ...others] = readdirSync(packs).filter((one) => one.endsWith('.pack'))
  if (others.length > 0) throw new Error('git fast-import has made several packs')
  const pack = readFileSync(join(packs, name))
  const oid = await git.run('rev-parse', 'refs/heads/main')
  rmSync(path, { recursive: true })
  return { pack, oid, objects: pack.readUInt32BE(8) }
}

function* heavyStream(seed: number, packBytes: number): Generator<string | Uint8Array> {
  const random = new Random(seed)
  const key = createHash('sha256').update(`heavy ${seed}`).digest()
  const noise = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  let file = 0
  for (let bytes = 0, number = 1; bytes < packBytes; number++) {
    const who = `Person <person@example.org> ${1_500_000_000 + number * 60} +0100`
    yield `commit refs/heads/main\nmark :${number}\ncommitter ${who}\ndata 5\nfiles\n`
    if (number > 1) yield `from :${number - 1}\n`
    for (let i = 0; i < FILES_PER_COMMIT && bytes < packBytes; i++) {
      const size = Math.min(sizeOfFile(random), packBytes - bytes)
      yield `M 100644 inline folder${file % 50}/file${file++}.bin\ndata ${size}\n`
      yield noise.update(Buffer.alloc(size))
      yield '\n'
      bytes += size
    }
    yield '\n'
  }
  yield 'done\n'
}

/** Each doubling of the size is as likely as the one before. */
function sizeOfFile(random: Random): number {
  const part = random.below(1_000_000) / 1_000_000
  return Math.round(FILE_BYTES.min * (FILE_BYTES.max / FILE_BYTES.min) ** part)
}
