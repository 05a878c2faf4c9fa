/** Repositories on disk as git's maintenance leaves them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../../integration/support/git.ts'
import type { NamedBytes } from './material.ts'

export interface Stores {
  readonly packIndexes: readonly NamedBytes[]
  readonly bitmaps: readonly NamedBytes[]
  readonly mtimes: readonly NamedBytes[]
  readonly commitGraphs: readonly NamedBytes[]
}

/** What maintenance leaves on disk of one commit, of a line of them, and of all with one that has three parents. */
export async function writeStores(folder: string): Promise<Stores> {
  const stores: Stores[] = []
  for (const name of ['v1', 'side', 'all']) stores.push(await writeStore(folder, name))
  const ofAll = (kind: keyof Stores): NamedBytes[] => stores.flatMap((store) => store[kind])
  return {
    packIndexes: ofAll('packIndexes'),
    bitmaps: ofAll('bitmaps'),
    mtimes: ofAll('mtimes'),
    commitGraphs: ofAll('commitGraphs'),
  }
}

async function writeStore(folder: string, name: string): Promise<Stores> {
  const only = name === 'all' ? [] : ['--single-branch', `--branch=${name}`]
  await new Git(folder).run('clone', '--quiet', '--bare', ...only, 'work', `${name}.git`)
  const store = new Git(folder).in(`${name}.git`)
  if (name === 'all') {
    const parents = ['main', 'side', 'main~2'].flatMap((parent) => ['-p', parent])
    const octopus = await store.run('commit-tree', '-m', 'of three', ...parents, 'main^{tree}')
    await store.run('update-ref', 'refs/heads/octopus', octopus)
  }
  await store.run('commit-tree', '-m', 'reached by nothing', `${name === 'all' ? 'main' : name}^{tree}`)
  await store.run('repack', '--cruft', '-d', '-q', '--write-bitmap-index')
  await store.run('commit-graph', 'write', '--reachable')
  const objects = join(folder, `${name}.git/objects`)
  const packed = (suffix: string): NamedBytes[] =>
    readdirSync(join(objects, 'pack'))
      .filter((file) => file.endsWith(suffix))
      .map((file, at) => ({
        name: `${suffix.slice(1)} ${at} of ${name}`,
        bytes: readFileSync(join(objects, 'pack', file)),
      }))
  const commitGraphs = [{ name: `commit-graph of ${name}`, bytes: readFileSync(join(objects, 'info/commit-graph')) }]
  return { packIndexes: packed('.idx'), bitmaps: packed('.bitmap'), mtimes: packed('.mtimes'), commitGraphs }
}
