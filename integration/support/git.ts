/** The machine's `git`, run as a user would run it, but with nothing of the machine's own configuration. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Outcome, runToEnd, type Task } from './run-to-end.ts'

export type GitOutcome = Outcome

/** How it is run where nobody has to be able to end it. */
let runGit: (task: Task) => Promise<Outcome> = runToEnd

export function runGitBy(run: typeof runGit): void {
  runGit = run
}

const FIRST_COMMIT_S = 1_600_000_000

/** A folder that is gone at the end of its scope. */
export function temporaryFolder(name: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), `guts-${name}-`))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Runs git in a folder; commits made one after another have times one after another, the same in every run. */
export class Git {
  readonly folder: string
  readonly #options: readonly string[]
  readonly #extra: Readonly<Record<string, string>>
  #commits = 0

  /**
   * @param options before the command, e.g. `-c`, `protocol.version=1`
   * @param extra variables, e.g. of a proxy
   */
  constructor(folder: string, options: readonly string[] = [], extra: Readonly<Record<string, string>> = {}) {
    this.folder = folder
    this.#options = options
    this.#extra = extra
  }

  in(folder: string): Git {
    return new Git(join(this.folder, folder), this.#options, this.#extra)
  }

  /**
   * Never rejects: a refusal is an outcome, too.
   * @param signal ends git and its helpers
   */
  try(args: readonly string[], input: string | Uint8Array = '', signal?: AbortSignal): Promise<GitOutcome> {
    const task = {
      program: 'git',
      args: [...this.#options, ...args],
      cwd: this.folder,
      env: this.#environment(),
      input,
    }
    return signal === undefined ? runGit(task) : runToEnd(task, signal)
  }

  /** @returns what git printed. @throws Error with what git said */
  async run(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(args)
    if (code !== 0) throw new Error(`git ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`)
    return stdout.trimEnd()
  }

  async commit(message: string): Promise<void> {
    await this.run('add', '--all')
    await this.run('commit', '--quiet', '--allow-empty', '-m', message)
  }

  #environment(): Record<string, string> {
    const date = `${FIRST_COMMIT_S + this.#commits++} +0000`
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: 'Alice',
      GIT_AUTHOR_EMAIL: 'alice@example.org',
      GIT_COMMITTER_NAME: 'Alice',
      GIT_COMMITTER_EMAIL: 'alice@example.org',
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_DATE: date,
      LC_ALL: 'C',
      ...this.#extra,
    }
  }
}

/** Of the machine's git, e.g. `2.39.5`. */
export async function gitVersion(): Promise<string> {
  return (await new Git(tmpdir()).run('version')).replace('git version ', '')
}

/** Everything a repository holds, by C git: refs with what they point to, and every object that they reach. */
export async function contentsOf(gitDirectory: string): Promise<{ refs: string; objects: string }> {
  const git = new Git(gitDirectory)
  const refs = await git.run('for-each-ref', '--format=%(refname) %(objectname) %(*objectname)')
  const objects = await git.run('rev-list', '--objects', '--no-object-names', '--all')
  return { refs, objects: objects.split('\n').sort().join('\n') }
}

/** What a clone holds: which objects are there, where history ends, and that nothing else is missing. */
export async function holdingsOf(clone: Git): Promise<unknown> {
  const objects = await clone.run('cat-file', '--batch-all-objects', '--batch-check=%(objectname) %(objecttype)')
  const inWorkTree = join(clone.folder, '.git')
  const shallow = join(existsSync(inWorkTree) ? inWorkTree : clone.folder, 'shallow')
  const { code } = await clone.try(['fsck', '--strict', '--no-dangling', '--no-progress'])
  return {
    objects: objects.split('\n').sort(),
    refs: await clone.run('for-each-ref', '--format=%(refname) %(objectname) %(symref)'),
    shallow: existsSync(shallow) ? readFileSync(shallow, 'utf8').split('\n').sort() : [],
    fsck: code,
  }
}

/**
 * A node that runs may bring packs together while git looks, which then finds no index where it saw one (git's own repack
 * and fsck get into each other's way like that): whatever it found while packs went, it is asked once more.
 *
 * @throws Error with what git found: in what is at `gitDirectory` nothing may be missing or malformed (I2)
 */
export async function fsck(gitDirectory: string): Promise<void> {
  for (;;) {
    const before = packsIn(gitDirectory)
    const found = await fsckOnce(gitDirectory)
    if (found === undefined) return
    const after = new Set(packsIn(gitDirectory))
    if (before.every((name) => after.has(name))) throw new Error(found)
  }
}

function packsIn(gitDirectory: string): string[] {
  const folder = ['objects/pack', '.git/objects/pack'].map((path) => join(gitDirectory, path)).find(existsSync)
  return folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.idx'))
}

/** @returns what is wrong */
async function fsckOnce(gitDirectory: string): Promise<string | undefined> {
  const { code, stdout, stderr } = await new Git(gitDirectory).try([
    'fsck',
    '--strict',
    '--full',
    '--no-dangling',
    '--no-progress',
  ])
  const complaints = `${stdout}${stderr}`
    .split('\n')
    .filter(
      (line) =>
        line !== '' &&
        !line.startsWith('notice: HEAD points to an unborn branch') &&
        !line.startsWith('notice: No default references'),
    )
  return code !== 0 || complaints.length > 0 ? `git fsck ended with ${code}: ${complaints.join('\n')}` : undefined
}

/** `fsck` on each `OWNER/NAME.git` below this folder, which need not be there. */
export async function fsckAll(repositories: string): Promise<void> {
  if (!existsSync(repositories)) return
  for (const owner of readdirSync(repositories)) {
    for (const name of readdirSync(join(repositories, owner))) await fsck(join(repositories, owner, name))
  }
}
