/** Makes commits in one bare repository that all pushers share, without working trees: what a pusher needs is there. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../../integration/support/git.ts'
import type { Random } from '../../integration/support/random.ts'

const FILES_MAX = 30
const SMALL_CHARS = 200
const LARGE_CHARS = 200_000
/** Of the commits, those with a file that takes a slow link a moment. */
const LARGE_SHARE = 0.15

export class Workshop {
  readonly git: Git
  /** By commit: names and blobs of its one folder. */
  readonly #files = new Map<string | undefined, ReadonlyMap<string, string>>([[undefined, new Map()]])

  private constructor(git: Git) {
    this.git = git
  }

  static async open(folder: string): Promise<Workshop> {
    const path = join(folder, 'workshop')
    mkdirSync(path)
    const git = new Git(path, ['-c', 'gc.auto=0'])
    await git.run('init', '--quiet', '--bare')
    return new Workshop(git)
  }

  /** @param parent one that was made here; undefined: none. @returns an id that no other commit has */
  async commit(parent: string | undefined, message: string, random: Random): Promise<string> {
    const files = new Map(this.#files.get(parent))
    const isLarge = random.chance(LARGE_SHARE)
    const text = `${message}\n${random.text(isLarge ? LARGE_CHARS : SMALL_CHARS)}\n`
    files.set(`file-${random.below(FILES_MAX)}.txt`, await this.#write(['hash-object', '-w', '--stdin'], text))
    const entries = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))
    const tree = await this.#write(['mktree'], entries.map(([name, oid]) => `100644 blob ${oid}\t${name}\n`).join(''))
    const parents = parent === undefined ? [] : ['-p', parent]
    const commit = await this.#write(['commit-tree', tree, ...parents, '-m', message], '')
    this.#files.set(commit, files)
    return commit
  }

  async #write(args: readonly string[], input: string): Promise<string> {
    const { code, stdout, stderr } = await this.git.try(args, input)
    if (code !== 0) throw new Error(`git ${args.join(' ')} ended with ${code}: ${stderr}`)
    return stdout.trim()
  }
}
