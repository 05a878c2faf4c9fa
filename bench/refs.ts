/** Listings of few and of very many refs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../integration/support/git.ts'
import type { BenchContext } from './context.ts'
import type { GutsBench } from './hosts.ts'
import { RawClient, type Target } from './raw-client.ts'
import { rateOfEach } from './rates.ts'
import { rateRow, type Row } from './row.ts'
import { makeBare, packOfMain } from './sources.ts'

const REFS = [10, 50_000] as const

const LISTINGS: Readonly<Record<string, (client: RawClient) => Promise<unknown>>> = {
  'ls-refs': (client) => client.takeRefs(),
  advertisement: (client) => client.advertisement(),
}

export async function refsRows(context: BenchContext): Promise<Row[]> {
  const { guts, anchor } = await context.hosts()
  const rows: Row[] = []
  for (const refs of REFS) {
    const source = await makeRefs(context.folder, refs)
    const target = await pushRefs(guts, source)
    const targets = [target, await anchor.fill(source.name, source.path)] as const
    for (const [listing, work] of Object.entries(LISTINGS)) {
      for (const clients of [1, 8]) {
        const rates = await rateOfEach(targets, clients, context.rateMs, work)
        const what = `${listing} of ${refs.toLocaleString('en')} refs, ${clients} at a time`
        rows.push(rateRow(what, rates, { atLeast: 10 }))
      }
    }
  }
  return rows
}

export interface RefsSource {
  readonly name: string
  readonly path: string
  readonly commit: string
  readonly refs: readonly string[]
}

/** A repository of one commit and so many branches. */
export async function makeRefs(folder: string, count: number): Promise<RefsSource> {
  const name = `refs-${count}`
  const path = join(folder, `${name}.git`)
  const refs = ['refs/heads/main', ...Array.from({ length: count - 1 }, (_, at) => `refs/heads/topic/${at}`)]
  makeBare(path)
  const git = new Git(path)
  const tree = await git.run('hash-object', '-t', 'tree', '-w', '/dev/null')
  const commit = await git.run('commit-tree', '-m', 'only', tree)
  // As `git pack-refs` would leave them (gitrepository-layout); by way of 50,000 files it would take minutes.
  const lines = refs.toSorted().map((ref) => `${commit} ${ref}\n`)
  writeFileSync(join(path, 'packed-refs'), `# pack-refs with: peeled fully-peeled sorted \n${lines.join('')}`)
  return { name, path, commit, refs }
}

/** Without git, whose client takes minutes for 50,000 refs. */
export async function pushRefs(guts: GutsBench, { name, path, commit, refs }: RefsSource): Promise<Target> {
  const target = await guts.create(name)
  const client = new RawClient(target)
  await client.pushRefs(refs, commit, (await packOfMain(path)).pack)
  client.close()
  return target
}
