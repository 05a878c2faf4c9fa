/** What people do with git and a host: steps that run against two hosts, and are to end alike. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Git, GitOutcome } from '../support/git.ts'

/**
 * Thirteen commits on `main` with a merge, two annotated tags (one of a tag), a branch that goes on from the middle,
 * folders three deep, and files of 10 bytes to 100 kB.
 */
export async function makeHistory(git: Git): Promise<void> {
  await git.run('init', '--quiet', '--initial-branch=main')
  await step(git, 'patterns', { patterns: '/a/\n!/a/b/**/*.txt\n/side\n' })
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

/** Others clone what lies at `source`, and push a new commit to `main`, or what the refspecs say: it is their HEAD. */
export async function pushByOthers(outside: Git, source: Git, url: string, ...refspecs: string[]): Promise<void> {
  await outside.run('clone', '--quiet', '--no-local', source.folder, 'others')
  const others = outside.in('others')
  await step(others, 'by others', { 'a/b/c/deep.txt': 'by others\n', 'others.txt': 'others\n' })
  await others.run('push', '--quiet', url, ...(refspecs.length > 0 ? refspecs : ['HEAD:refs/heads/main']))
}

export interface Visit {
  /** Runs where the clone is to be made. */
  readonly outside: Git
  /** The clone, once it is made as `clone`. */
  readonly clone: Git
  readonly url: string
  /** When the commit was made, in seconds since 1970. */
  timeOf(revision: string): Promise<string>
  /** A work tree with the history that the host began with. */
  readonly source: Git
  /** Others push a new commit to `main`, or what the refspecs say of their clone, in which it is HEAD. */
  othersPush(...refspecs: string[]): Promise<void>
}

export interface Scenario {
  readonly name: string
  /** Files of git's own test suite whose behaviour this is. */
  readonly like: string
  /** It changes something: it needs a repository of its own. */
  readonly changes?: true
  /** @returns what is to be the same at both hosts, beside what the clone then holds */
  run(visit: Visit): Promise<readonly (string | GitOutcome)[]>
}

export const clones =
  (...options: string[]): Scenario['run'] =>
  async ({ outside, url }) => {
    await outside.run('clone', '--quiet', ...options, url, 'clone')
    return []
  }

/** A clone that may be refused: how it ended is the same. */
export const triesToClone =
  (...options: string[]): Scenario['run'] =>
  async ({ outside, url }) => [`ended with ${(await outside.try(['clone', ...options, url, 'clone'])).code}`]

export const clonesThen =
  (options: readonly string[], ...commands: readonly (readonly string[])[]): Scenario['run'] =>
  async ({ outside, clone, url }) => {
    await outside.run('clone', '--quiet', ...options, url, 'clone')
    const said: string[] = []
    for (const command of commands) said.push(await clone.run(...command))
    return said
  }

/** What was refused, and that it was: the reason is each host's own. */
export function refusal({ code, stdout }: GitOutcome): string {
  const lines = stdout.split('\n').filter((line) => line.startsWith('!'))
  return [`${code}`, ...lines.map((line) => line.replace(/ \(.*\)$/, ''))].join('\n')
}
