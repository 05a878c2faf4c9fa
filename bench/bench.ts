/** `npm run bench`: the node beside C git's server and static files behind nginx, in the same run. */
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { runFolder } from '../harness/run-folder.ts'
import { cloneRows } from './clones.ts'
import { BenchContext } from './context.ts'
import { fetchRows } from './fetches.ts'
import { growthRows } from './growth.ts'
import { memoryRows } from './memory.ts'
import { profileRows } from './profiles.ts'
import { pushRows } from './pushes.ts'
import { refsRows } from './refs.ts'
import { replicationRows } from './replication.ts'
import { closeBench } from './report/report.ts'
import { responsivenessRows } from './responsiveness.ts'
import type { Row } from './row.ts'
import { writerRows } from './writers.ts'

/** In the order in which they run: memory first, on a machine that has nothing else to do. */
const PARTS: Readonly<Record<string, (context: BenchContext) => Promise<Row[]>>> = {
  memory: memoryRows,
  clones: cloneRows,
  refs: refsRows,
  fetches: fetchRows,
  pushes: pushRows,
  writers: writerRows,
  responsiveness: responsivenessRows,
  profiles: profileRows,
  growth: growthRows,
  replication: replicationRows,
}

const HELP = `Usage: npm run bench [-- PART…] [--seconds N] [--seed N]

memory          above idle, while packs of 500 MB and 50 MB come in and go out, with 1 and 8 clients
clones          of three sizes, beside the same bytes as static files of nginx, and beside
                git http-backend with bitmaps behind nginx
refs            listings of 10 and of 50,000 refs
fetches         of a part of history, shallow and blobless clones
pushes          of two sizes, until they are durable, beside git receive-pack
writers         small pushes to 32 repositories, beside one fsync after another
responsiveness  a small API request while large fetches are built
profiles        where the main thread spends the time of small requests, of a large pack, and of small
                pushes
growth          time for each object from 10,000 to 500,000, and of a listing for each ref
replication     a mirror's way to 50 MiB beside a raw stream of libp2p, a small push on two mirrors,
                and what the policies of outbound calls cost

Without a part all of them, in about 25 minutes. Prints ratios, which hold from machine to machine.
In reports/bench it writes summary.json, adds a line to history.jsonl, and draws curves.svg from
both. Exits with 1 when a goal is not met.

  --seconds N   for each rate and host, in three rounds (4)
  --seed N      of the histories (1)

nginx and fcgiwrap, where they are not installed, are unpacked into .tools by apt.
`

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const {
    numbers: { seconds, seed },
    names,
  } = readOptions(args, {
    numbers: { seconds: { otherwise: 4, min: 1 }, seed: { otherwise: 1, min: 0 } },
    names: { what: 'part', known: Object.keys(PARTS) },
  })
  const say = (line: string): void => console.log(line)
  say(`seed ${seed}; again: npm run bench -- ${names.join(' ')} --seconds ${seconds} --seed ${seed}`)
  const startedAtMs = performance.now()
  using folder = runFolder('bench')
  await using context = new BenchContext({ folder: folder.path, seed, rateMs: seconds * 1_000, signal, say })
  const parts = new Map<string, Row[]>()
  for (const [part, measure] of Object.entries(PARTS)) {
    if (names.length > 0 && !names.includes(part)) continue
    signal.throwIfAborted()
    say(`${part} …`)
    parts.set(part, await measure(context))
  }
  return closeBench({ seed, seconds, startedAtMs, parts })
}

await runCommand(HELP, main)
