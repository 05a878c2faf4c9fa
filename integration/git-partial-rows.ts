/** What people do with a part of a repository: rows that run against two hosts. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Git, GitOutcome } from './support/git.ts'

/**
 * Twelve commits on `main` with a merge, two annotated tags (one of a tag), a branch that goes on from the middle,
 * folders three deep, and files of 10 bytes to 100 kB.
 */
export async function makeHistory(git: Git): Promise<void> {
  await git.run('init', '--quiet', '--initial-branch=main')
  for (let at = 0; at < 5; at++) await step(git, `main ${at}`, { 'a/b/c/deep.txt': `deep ${at}\n`, README: `${at}\n` })
  await git.run('tag', '-a', '-m', 'one', 'v1')
  await git.run('tag', '-a', '-m', 'of a tag', 'v1-again', 'v1')
  await git.run('branch', 'old')
  await git.run('checkout', '--quiet', '-b', 'side')
  for (let at = 0; at < 3; at++) await step(git, `side ${at}`, { 'side/file.txt': `side ${at}\n` })
  await git.run('checkout', '--quiet', 'main')
  await step(git, 'large', { 'a/large.bin': 'x'.repeat(100_000), 'a/b/middle.txt': 'y'.repeat(2_000) })
  await git.run('merge', '--quiet', '--no-ff', '-m', 'merge', 'side')
  await git.run('tag', 'light')
  for (let at = 5; at < 8; at++) await step(git, `main ${at}`, { 'a/b/c/deep.txt': `deep ${at}\n` })
  await git.run('checkout', '--quiet', 'old')
  await step(git, 'old', { 'old.txt': 'old\n' })
  await git.run('checkout', '--quiet', 'main')
}

/** One more commit in a work tree. */
export async function step(git: Git, message: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(git.folder, path, '..'), { recursive: true })
    writeFileSync(join(git.folder, path), content)
  }
  await git.commit(message)
}

/** Others clone what lies at `source`, and push a new commit to `main` of the host. */
export async function pushByOthers(outside: Git, source: Git, url: string): Promise<void> {
  await outside.run('clone', '--quiet', '--no-local', source.folder, 'others')
  const others = outside.in('others')
  await step(others, 'by others', { 'a/b/c/deep.txt': 'by others\n', 'others.txt': 'others\n' })
  await others.run('push', '--quiet', url, 'HEAD:refs/heads/main')
}

export interface Visit {
  /** Runs where the clone is to be made. */
  readonly outside: Git
  /** The clone, once it is made as `clone`. */
  readonly clone: Git
  readonly url: string
  /** When the commit was made, in seconds since 1970. */
  timeOf(revision: string): Promise<string>
  /** Others push a new commit to `main`. */
  othersPush(): Promise<void>
}

export interface Row {
  readonly name: string
  /** Files of git's own test suite whose behaviour this is. */
  readonly like: string
  /** The row pushes: it needs a repository of its own. */
  readonly changes?: true
  /** @returns what is to be the same at both hosts, beside what the clone then holds */
  run(visit: Visit): Promise<readonly (string | GitOutcome)[]>
}

const clones =
  (...options: string[]): Row['run'] =>
  async ({ outside, url }) => {
    await outside.run('clone', '--quiet', ...options, url, 'clone')
    return []
  }

const clonesThen =
  (options: readonly string[], ...commands: readonly (readonly string[])[]): Row['run'] =>
  async ({ outside, clone, url }) => {
    await outside.run('clone', '--quiet', ...options, url, 'clone')
    const said: string[] = []
    for (const command of commands) said.push(await clone.run(...command))
    return said
  }

export const SHALLOW: readonly Row[] = [
  { name: 'the last commit', like: 't5537', run: clones('--depth=1') },
  { name: 'the last commit, without a work tree', like: 't5537', run: clones('--depth=1', '--bare') },
  { name: 'three commits over a merge', like: 't5500', run: clones('--depth=5') },
  { name: 'more commits than there are', like: 't5500', run: clones('--depth=1000') },
  { name: 'the last commit of each branch', like: 't5500', run: clones('--depth=1', '--no-single-branch') },
  { name: 'a tag', like: 't5500', run: clones('--depth=2', '--branch=v1') },
  { name: 'a tag of a tag', like: 't5500', run: clones('--depth=1', '--branch=v1-again') },
  { name: 'without tags', like: 't5537', run: clones('--depth=8', '--no-tags') },
  {
    name: 'what is younger than a time',
    like: 't5500',
    run: async (visit) => clones(`--shallow-since=${await visit.timeOf('main~3')}`)(visit),
  },
  {
    name: 'what is younger than a time on one of two lines',
    like: 't5500',
    run: async (visit) => clones(`--shallow-since=${await visit.timeOf('side~1')}`, '--no-single-branch')(visit),
  },
  {
    name: 'nothing is young enough',
    like: 't5500',
    run: async ({ outside, url }) => {
      const { code } = await outside.try(['clone', '--shallow-since=2040-01-01', url, 'clone'])
      await outside.run('init', '--quiet', 'clone')
      return [`ended with ${code}`]
    },
  },
  { name: 'what a tag does not reach', like: 't5500', run: clones('--shallow-exclude=v1') },
  { name: 'what a branch does not reach', like: 't5500', run: clones('--shallow-exclude=side') },
  {
    name: 'what two refs do not reach',
    like: 't5500',
    run: clones('--shallow-exclude=v1', '--shallow-exclude=refs/heads/side'),
  },
  {
    name: 'what a ref that is not there does not reach',
    like: 't5500',
    run: async ({ outside, url }) => {
      const { code } = await outside.try(['clone', '--shallow-exclude=nowhere', url, 'clone'])
      await outside.run('init', '--quiet', 'clone')
      return [`ended with ${code}`]
    },
  },
  { name: 'then more of it', like: 't5537', run: clonesThen(['--depth=1'], ['fetch', '--depth=3']) },
  { name: 'then less of it', like: 't5537', run: clonesThen(['--depth=8'], ['fetch', '--depth=2']) },
  {
    name: 'then deeper',
    like: 't5500',
    run: clonesThen(['--depth=1'], ['fetch', '--deepen=2'], ['fetch', '--deepen=1']),
  },
  { name: 'then deeper than there is', like: 't5500', run: clonesThen(['--depth=2'], ['fetch', '--deepen=100']) },
  { name: 'then all', like: 't5537', run: clonesThen(['--depth=1'], ['fetch', '--unshallow']) },
  {
    name: 'then all branches and all',
    like: 't5537',
    run: clonesThen(['--depth=1', '--no-single-branch'], ['fetch', '--unshallow']),
  },
  {
    name: 'then another branch',
    like: 't5537',
    run: clonesThen(['--depth=1'], ['fetch', '--depth=1', 'origin', 'old:old']),
  },
  {
    name: 'then another branch as it is',
    like: 't5537',
    run: clonesThen(['--depth=2'], ['fetch', 'origin', 'old:old']),
  },
  { name: 'then a tag', like: 't5537', run: clonesThen(['--depth=1', '--no-tags'], ['fetch', 'origin', 'tag', 'v1']) },
  {
    name: 'then what is younger than a time',
    like: 't5500',
    run: async (visit) => clonesThen(['--depth=1'], ['fetch', `--shallow-since=${await visit.timeOf('v1')}`])(visit),
  },
  {
    name: 'then what a tag does not reach',
    like: 't5500',
    run: clonesThen(['--depth=1'], ['fetch', '--shallow-exclude=v1']),
  },
  {
    name: 'then what others have pushed',
    like: 't5537',
    changes: true,
    run: async (visit) => {
      await clones('--depth=1')(visit)
      await visit.othersPush()
      return [await visit.clone.run('fetch'), await visit.clone.run('rev-list', 'origin/main')]
    },
  },
  {
    name: 'then what others have pushed, and no more',
    like: 't5537',
    changes: true,
    run: async (visit) => {
      await clones('--depth=2')(visit)
      await visit.othersPush()
      return [await visit.clone.run('fetch', '--depth=1'), await visit.clone.run('rev-list', 'origin/main')]
    },
  },
  {
    name: 'then a push of a commit on top, and of a branch',
    like: 't5538',
    changes: true,
    run: async ({ outside, clone, url }) => {
      await outside.run('clone', '--quiet', '--depth=1', url, 'clone')
      await step(clone, 'on top', { 'top.txt': 'top\n' })
      return [await clone.try(['push', '--porcelain', 'origin', 'HEAD:refs/heads/main', 'HEAD:refs/heads/topic'])]
    },
  },
  {
    name: 'then a clone of it by path',
    like: 't5537',
    run: async ({ outside, clone, url }) => {
      await outside.run('clone', '--quiet', '--depth=3', url, 'clone')
      await outside.run('clone', '--quiet', '--no-local', 'clone', 'again')
      return [await clone.in('../again').run('rev-list', '--objects', '--all')]
    },
  },
]

/** Nothing is checked out: git would fetch what it needs for that. */
const bare = (...options: string[]): Row['run'] => clones('--bare', ...options)

export const PARTIAL: readonly Row[] = [
  { name: 'no blobs', like: 't5616', run: bare('--filter=blob:none') },
  { name: 'blobs of less than a kilobyte', like: 't5616', run: bare('--filter=blob:limit=1k') },
  { name: 'blobs of less than 7 bytes', like: 't5616', run: bare('--filter=blob:limit=7') },
  { name: 'blobs of less than nothing', like: 't5616', run: bare('--filter=blob:limit=0') },
  { name: 'blobs of less than a gigabyte', like: 't5616', run: bare('--filter=blob:limit=1g') },
  { name: 'no trees', like: 't5616', run: bare('--filter=tree:0') },
  { name: 'root trees', like: 't5616', run: bare('--filter=tree:1') },
  { name: 'trees to the second level', like: 't5616', run: bare('--filter=tree:2') },
  { name: 'trees to the fourth level', like: 't5616', run: bare('--filter=tree:4') },
  { name: 'only commits', like: 't5616', run: bare('--filter=object:type=commit') },
  { name: 'only trees', like: 't5616', run: bare('--filter=object:type=tree') },
  { name: 'only blobs', like: 't5616', run: bare('--filter=object:type=blob') },
  { name: 'only tags', like: 't5616', run: bare('--filter=object:type=tag') },
  { name: 'small blobs near the top', like: 't6112', run: bare('--filter=combine:blob:limit=1k+tree:3') },
  { name: 'two filters given one by one', like: 't6112', run: bare('--filter=blob:none', '--filter=tree:2') },
  { name: 'the last commit without blobs', like: 't5616', run: bare('--depth=1', '--filter=blob:none') },
  { name: 'three commits without trees', like: 't5616', run: bare('--depth=3', '--filter=tree:0') },
  { name: 'blobs when they are needed', like: 't5616', run: clones('--filter=blob:none') },
  { name: 'trees when they are needed', like: 't5616', run: clones('--filter=tree:0') },
  {
    name: 'a sparse checkout',
    like: 't5616',
    run: clonesThen(['--filter=blob:none', '--sparse'], ['sparse-checkout', 'set', 'side']),
  },
  {
    name: 'an old commit is checked out',
    like: 't0410',
    run: clonesThen(['--filter=blob:none'], ['checkout', '--quiet', 'v1']),
  },
  {
    name: 'history is read',
    like: 't0410',
    run: clonesThen(['--filter=blob:none'], ['log', '--patch', '--format=%s']),
  },
  {
    name: 'history is read without trees',
    like: 't0410',
    run: clonesThen(['--filter=tree:0'], ['log', '--stat', '--format=%s']),
  },
  {
    name: 'all of it after all',
    like: 't5616',
    run: clonesThen(['--filter=blob:none'], ['fetch', '--quiet', '--refetch', '--no-filter']),
  },
  {
    name: 'what others have pushed',
    like: 't5616',
    changes: true,
    run: async (visit) => {
      await clones('--filter=blob:none')(visit)
      await visit.othersPush()
      return [await visit.clone.run('pull', '--quiet'), await visit.clone.run('rev-list', 'origin/main')]
    },
  },
  {
    name: 'a push of a commit on top',
    like: 't5616',
    changes: true,
    run: async ({ outside, clone, url }) => {
      await outside.run('clone', '--quiet', '--filter=blob:none', url, 'clone')
      await step(clone, 'on top', { 'top.txt': 'top\n' })
      return [await clone.try(['push', '--porcelain', 'origin', 'HEAD:refs/heads/main'])]
    },
  },
]
