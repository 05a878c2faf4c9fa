/** Fills a node with what the scripts work on: histories that git makes, and packs that it made to be pushed. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../integration/support/git.ts'
import { Random } from '../integration/support/random.ts'
import type { LoadPush, LoadRepository } from './plan.ts'
import type { Target } from './target.ts'

/** From a listing to a clone of a few hundred kilobytes. */
const COMMITS = [3, 40, 250]
const FILES = 12
const FILE_BYTES = 2_000

export interface Seeded {
  readonly repositories: readonly LoadRepository[]
  readonly pushTo: string
  readonly pushes: readonly LoadPush[]
}

/** Options of git that make it known to the target, without a token among its arguments or in what it prints. */
export function credentialOptions({ baseUrl, username, token }: Target, folder: string): string[] {
  const file = join(folder, 'credentials')
  const url = Object.assign(new URL(baseUrl), { username, password: token })
  writeFileSync(file, `${url.href}\n`, { mode: 0o600 })
  return ['-c', 'credential.helper=', '-c', `credential.helper=store --file=${file}`]
}

export interface Seeding {
  readonly target: Target
  /** For the working copies and the packs. */
  readonly folder: string
  readonly random: Random
  readonly pushCount: number
  readonly signal: AbortSignal
}

/** @throws the signal's reason, between one program and the next */
export async function seed({ target, folder, random, pushCount, signal }: Seeding): Promise<Seeded> {
  const options = credentialOptions(target, folder)
  const repositories: LoadRepository[] = []
  const make = async (name: string, commits: number): Promise<Git> => {
    signal.throwIfAborted()
    const git = new Git(join(folder, name), options, target.network)
    await makeHistory(git, historyOf(commits, random))
    signal.throwIfAborted()
    await target.createRepository(name)
    return git
  }
  for (const [at, commits] of COMMITS.entries()) {
    const name = `load-${random.seed}-${at}`
    const git = await make(name, commits)
    await git.run('push', '--quiet', target.urlOf(name), '--all')
    await git.run('push', '--quiet', target.urlOf(name), '--tags')
    repositories.push(await describe(git, `${target.username}/${name}`))
  }
  const name = `load-${random.seed}-push`
  const git = await make(name, 10)
  await git.run('push', '--quiet', target.urlOf(name), 'main')
  const pushes = await makePushes(git, folder, pushCount, signal)
  return { repositories, pushTo: `${target.username}/${name}`, pushes }
}

async function makeHistory(git: Git, stream: string): Promise<void> {
  mkdirSync(git.folder)
  await git.run('init', '--quiet', '--bare', '--initial-branch=main')
  await fastImport(git, stream)
}

async function fastImport(git: Git, stream: string): Promise<void> {
  const { code, stderr } = await git.try(['fast-import', '--quiet', '--force'], stream)
  if (code !== 0) throw new Error(`git fast-import ended with ${code}: ${stderr}`)
}

/** A line of commits on `main`, with a branch and a tag now and then (git-fast-import). */
function historyOf(commits: number, random: Random): string {
  const parts: string[] = []
  for (let commit = 0; commit < commits; commit++) {
    parts.push(commitOf('refs/heads/main', commit, `commit ${commit}`))
    for (let file = 0; file < FILES; file++) {
      if (commit > 0 && !random.chance(0.15)) continue
      parts.push(`M 100644 inline ${fileName(file)}\n${dataOf(random.text(FILE_BYTES))}`)
    }
    if (commit % 10 === 1) parts.push(`reset refs/heads/branch-${commit}\nfrom refs/heads/main\n\n`)
    if (commit % 25 === 2) parts.push(tagOf(commit))
  }
  return parts.join('')
}

const PERSON = 'Alice <alice@example.org>'
const FIRST_COMMIT_S = 1_600_000_000
const fileName = (file: number): string => `folder-${file % 3}/file-${file}.txt`
const dataOf = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`

/** What follows names its files; without a parent it is the ref's own last commit. */
function commitOf(ref: string, at: number, message: string): string {
  return `commit ${ref}\ncommitter ${PERSON} ${FIRST_COMMIT_S + at} +0000\n${dataOf(message)}`
}

function tagOf(at: number): string {
  return `tag v${at}\nfrom refs/heads/main\ntagger ${PERSON} ${FIRST_COMMIT_S + at} +0000\n${dataOf(`tag ${at}`)}`
}

/** What git itself says is there: the scripts hold the node's answers against this. */
async function describe(git: Git, path: string): Promise<LoadRepository> {
  const refs = await git.run('for-each-ref', '--format=%(objectname) %(refname)')
  const objects = await git.run('rev-list', '--objects', '--no-object-names', '--all')
  const files = await git.run('ls-tree', '-r', '--name-only', 'main')
  const toRef = (line: string) => ({ oid: line.slice(0, 40), name: line.slice(41) })
  return {
    path,
    refs: refs.split('\n').map(toRef),
    objectCount: objects.split('\n').length,
    files: files.split('\n'),
  }
}

/** Branches from `main`, each with a pack of exactly what `main` has not. */
async function makePushes(git: Git, folder: string, count: number, signal: AbortSignal): Promise<LoadPush[]> {
  const commits = Array.from({ length: count }, (_, at) => {
    const commit = commitOf(`refs/heads/made/${at}`, at, `push ${at}`)
    return `${commit}from refs/heads/main^0\nM 100644 inline pushed-${at}.txt\n${dataOf(`pushed by iteration ${at}`)}`
  })
  await fastImport(git, commits.join(''))
  mkdirSync(join(folder, 'packs'))
  const pushes: LoadPush[] = []
  for (let at = 0; at < count; at++) {
    signal.throwIfAborted()
    const oid = await git.run('rev-parse', `refs/heads/made/${at}`)
    const prefix = join(folder, 'packs', `push-${at}`)
    const packing = await git.try(['pack-objects', '--quiet', '--revs', prefix], `${oid}\n^refs/heads/main\n`)
    if (packing.code !== 0) throw new Error(`git pack-objects ended with ${packing.code}: ${packing.stderr}`)
    pushes.push({ ref: `refs/heads/pushed/${at}`, oid, pack: `${prefix}-${packing.stdout.trim()}.pack` })
  }
  return pushes
}
