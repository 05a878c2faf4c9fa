/** Listings of few and of very many refs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../integration/support/git.ts'
import type { BenchContext } from './context.ts'
import type { GutsBench } from './hosts.ts'
import { kept, RawClient, type Target } from './raw-client.ts'
import { ratesInTurn } from './rates.ts'
import { rateRow, type Row } from './row.ts'
import { makeBare, packOf } from './sources.ts'

const REFS = [10, 50_000] as const

const LISTINGS: Readonly<Record<string, (client: RawClient, take?: (bytes: Buffer) => void) => Promise<number>>> = {
  'ls-refs': (client, take) => client.takeRefs(take),
  advertisement: (client, take) => client.advertisement(take),
}

export async function refsRows(context: BenchContext): Promise<Row[]> {
  const { guts, anchor, web, bare, packages } = await context.hosts()
  const rows: Row[] = []
  for (const refs of REFS) {
    const source = await makeRefs(context.folder, refs)
    const target = await pushRefs(guts, source)
    const backend = await anchor.fill(source.name, source.path)
    for (const [listing, ask] of Object.entries(LISTINGS)) {
      const file = `${source.name}-${listing}`
      const asking = new RawClient(target)
      writeFileSync(join(web.files, file), await kept((take) => ask(asking, take)))
      asking.close()
      const work = (client: RawClient): Promise<unknown> => ask(client)
      const inMemory = [bare, packages].map(({ origin }) => ({
        target: { url: `${origin}/${file}` },
        work: (client: RawClient) => client.get(),
      }))
      for (const clients of [1, 8]) {
        const contestants = [{ target, work }, { target: backend, work }, ...inMemory]
        const [rate = 0, backends = 0, alone = 0, packed = 0] = await ratesInTurn(contestants, clients, context.rateMs)
        const what = `${listing} of ${refs.toLocaleString('en')} refs, ${clients} at a time`
        rows.push(rateRow(what, [rate, backends], { atLeast: 10 }))
        rows.push(rateRow(`${what}: beside node:http alone`, [rate, alone]))
        rows.push(rateRow(`${what}: the packages alone beside http-backend`, [packed, backends]))
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
  await client.pushRefs(refs, commit, (await packOf(path)).pack)
  client.close()
  return target
}
