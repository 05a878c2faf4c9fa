/** The repositories that are measured with: made by a seeded generator, so that anyone can make them again. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Git } from '../integration/support/git.ts'
import { type HistoryOptions, importHistory } from '../integration/support/history.ts'

export interface Source {
  readonly name: string
  /** Of a bare repository. */
  readonly path: string
  readonly packBytes: number
  readonly objects: number
}

/** About five objects a commit: itself, a file, and the three folders that lead to it. */
const SHAPE = { filesPerCommit: 1, fileBytes: 1_900, mergeEvery: 20, tagEvery: 100 } as const

export const SIZES = {
  small: { ...SHAPE, commits: 160 },
  medium: { ...SHAPE, commits: 6_100 },
  large: { ...SHAPE, commits: 32_500 },
} as const

export type SizeName = keyof typeof SIZES

export class Sources {
  readonly #folder: string
  readonly #seed: number
  readonly #say: (line: string) => void
  readonly #made = new Map<string, Promise<Source>>()

  /** @param say is told what was made */
  constructor(folder: string, seed: number, say: (line: string) => void) {
    this.#folder = folder
    this.#seed = seed
    this.#say = say
  }

  size(name: SizeName): Promise<Source> {
    return this.of(name, SIZES[name])
  }

  /** Made once for each name. */
  of(name: string, shape: Omit<HistoryOptions, 'seed'>): Promise<Source> {
    const made = this.#made.get(name) ?? this.#make(name, shape)
    this.#made.set(name, made)
    return made
  }

  async #make(name: string, shape: Omit<HistoryOptions, 'seed'>): Promise<Source> {
    const path = join(this.#folder, `${name}.git`)
    makeBare(path)
    await importHistory(path, { seed: this.#seed, ...shape })
    const git = new Git(path)
    await git.run('repack', '-a', '-d', '-f', '-q')
    const counted = await git.run('count-objects', '-v')
    const value = (key: string): number => Number(new RegExp(`^${key}: ([0-9]+)$`, 'm').exec(counted)?.[1])
    const source = { name, path, packBytes: value('size-pack') * 1024, objects: value('in-pack') }
    this.#say(sizeText(source))
    return source
  }
}

export function makeBare(path: string): void {
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', path])
}

/** What a client would send for a commit of a source, in a first push; else for its branch main. */
export async function packOf(path: string, revision = 'refs/heads/main'): Promise<{ pack: Buffer; oid: string }> {
  const pack = execFileSync('git', ['pack-objects', '--quiet', '--revs', '--stdout', '--delta-base-offset'], {
    cwd: path,
    input: `${revision}\n`,
    maxBuffer: 2 ** 30,
  })
  return { pack, oid: await new Git(path).run('rev-parse', revision) }
}

function sizeText({ name, packBytes, objects }: Source): string {
  const mebibytes = packBytes / 2 ** 20
  return `${name}: ${mebibytes.toFixed(mebibytes < 1 ? 2 : 1)} MiB, ${objects.toLocaleString('en')} objects`
}
