/** Full clones beside the same bytes as static files, and beside `git http-backend`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchContext } from './context.ts'
import { kept, RawClient, type Target, wantsOf } from './raw-client.ts'
import { ratesInTurn } from './rates.ts'
import { rateRow, type Row } from './row.ts'
import { type SizeName, SIZES } from './sources.ts'
import type { WebServer } from './web-server/web-server.ts'

/** A client that comes alone leaves the hosts nothing to do while it reads. */
const GOALS = [
  { clients: 8, atLeast: 0.85 },
  { clients: 1, atLeast: 0.7 },
] as const

export async function cloneRows(context: BenchContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const name of Object.keys(SIZES) as SizeName[]) rows.push(...(await rowsOf(context, name)))
  return rows
}

async function rowsOf(context: BenchContext, name: SizeName): Promise<Row[]> {
  const source = await context.sources.size(name)
  const { guts, anchor, web, bare, packages } = await context.hosts()
  const target = await guts.fill(name, source.path)
  const { wants, files } = await asStaticFiles(target, web, name)
  const inMemory = { url: `${bare.origin}/${name}-` }
  const byPackages = { url: `${packages.origin}/${name}-` }
  // What is wanted is known before: who reads files reads no listing either.
  const clone = async (client: RawClient): Promise<void> => {
    await client.capabilities()
    await client.takeRefs()
    await client.fetch(wants)
  }
  const cloneOfFiles = async (client: RawClient): Promise<void> => {
    for (const path of PATHS) await client.get(path)
  }
  const contestants = [
    { target, work: clone },
    { target: await anchor.fill(name, source.path), work: clone },
    { target: files, work: cloneOfFiles },
    { target, work: (client: RawClient) => client.fetch(wants) },
    { target: files, work: (client: RawClient) => client.get(PACK) },
    { target: inMemory, work: cloneOfFiles },
    { target: inMemory, work: (client: RawClient) => client.get(PACK) },
    { target: byPackages, work: cloneOfFiles },
    { target: byPackages, work: (client: RawClient) => client.get(PACK) },
  ]
  const rows: Row[] = []
  for (const { clients, atLeast } of GOALS) {
    const rates = await ratesInTurn(contestants, clients, context.rateMs)
    const [
      cloned = 0,
      backend = 0,
      threeFiles = 0,
      pack = 0,
      file = 0,
      threeInMemory = 0,
      inMemoryPack = 0,
      packed = 0,
      packedPack = 0,
    ] = rates
    const what = `clone of ${name}, ${clients} at a time`
    rows.push(rateRow(`${what}: its three answers beside static files`, [cloned, threeFiles], { atLeast }))
    rows.push(rateRow(`${what}: its pack beside one static file`, [pack, file], { atLeast }))
    rows.push(rateRow(`${what}: its three answers beside node:http alone`, [cloned, threeInMemory]))
    rows.push(rateRow(`${what}: its pack beside node:http alone`, [pack, inMemoryPack]))
    rows.push(rateRow(`${what}: beside http-backend`, [cloned, backend]))
    rows.push(rateRow(`${what}: node:http alone beside static files`, [threeInMemory, threeFiles]))
    rows.push(rateRow(`${what}: the packages alone beside static files`, [packed, threeFiles]))
    rows.push(rateRow(`${what}: its pack, the packages alone beside one static file`, [packedPack, file]))
  }
  return rows
}

const PACK = 'pack'
const PATHS = ['capabilities', 'refs', PACK] as const

/** The very bytes that a clone is answered with, each answer as a file. */
async function asStaticFiles(
  target: Target,
  web: WebServer,
  name: string,
): Promise<{ wants: string[]; files: Target }> {
  const client = new RawClient(target)
  const refs = await kept((take) => client.takeRefs(take))
  const wants = wantsOf(refs.toString('latin1'))
  const answers = [await kept((take) => client.capabilities(take)), refs, await kept((t) => client.fetch(wants, t))]
  client.close()
  for (const [at, path] of PATHS.entries()) writeFileSync(join(web.files, `${name}-${path}`), answers[at] ?? '')
  return { wants, files: { url: `${web.origin}/static/${name}-` } }
}
