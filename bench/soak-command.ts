/** `npm run soak`: whether a node that has served clones and pushes for a while ends where it began. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setInterval } from 'node:timers'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { runFolder } from '../harness/run-folder.ts'
import { closeCases, type SuiteCase } from '../harness/suite.ts'
import { GutsBench } from './hosts.ts'
import { MemorySampler } from './measure.ts'
import { CLONERS, Load, PUSHERS } from './soak/load.ts'
import { quietStateOf } from './soak/state.ts'
import { GROWTH_MIB_MAX, verdictOn } from './soak/verdict.ts'
import { packOfMain, Sources } from './sources.ts'

const HELP = `Usage: npm run soak [-- --time 10m] [--seed N]

${CLONERS} clone a repository of 160,000 objects at the same time, and ${PUSHERS} push it to repositories of
their own, which they delete: for as long as is said, from a real node. What each clone brings is
checked (checksum and number of objects; every 20th by git itself, with git fsck).

Before that, everybody does it once: that is when caches fill. Then, and in the end, the node is left
alone until nothing has changed for 35 s, and what it holds is compared. It has passed when open
descriptors, files in the data directory and rows in the database are the same, no thread is more,
and memory is at most ${GROWTH_MIB_MAX} MiB more. Writes reports/soak/summary.json.

  --time T   how long (10m)
  --seed N   of the history (1)
`

const PROGRESS_MS = 30_000
const MEBIBYTE = 2 ** 20

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const {
    durationsMs: { time },
    numbers: { seed },
  } = readOptions(args, {
    durations: { time: { otherwiseMs: 600_000, minMs: 1_000 } },
    numbers: { seed: { otherwise: 1, min: 0 } },
  })
  console.log(`seed ${seed}; again: npm run soak -- --time ${time / 1_000}s --seed ${seed}`)
  const startedAtMs = performance.now()
  using folder = runFolder('soak')
  const source = await new Sources(folder.path, seed, (line) => console.log(line)).size('large')
  // Git has looked at what it cloned; deletions have left nothing else.
  await using guts = await GutsBench.start({ damaged: true })
  await guts.fill('large', source.path)
  const clones = join(folder.path, 'clones')
  mkdirSync(clones)
  const { pack, oid } = await packOfMain(source.path)
  const { objects } = source
  const load = new Load({ guts, name: 'large', source: source.path, pack, oid, objects, folder: clones, signal })
  const { pid } = guts.node

  console.log('everybody once, then quiet')
  await load.run(() => false)
  const before = await quietStateOf(guts.node, signal)
  const warmUp = { clones: load.clones, pushes: load.pushes }
  const loadStartedAtMs = performance.now()
  using sampler = new MemorySampler(pid)
  const timer = setInterval(() => console.log(progressOf(load, loadStartedAtMs, pid)), PROGRESS_MS)
  const failure = await load.run(() => performance.now() - loadStartedAtMs < time).then(noFailure, String)
  clearInterval(timer)
  signal.throwIfAborted()
  console.log(`${progressOf(load, loadStartedAtMs, pid)}; quiet`)
  const loadS = Math.round((performance.now() - loadStartedAtMs) / 1_000)
  const peakMib = Math.round(sampler.peakBytes / MEBIBYTE)
  const after = await quietStateOf(guts.node, signal)

  const done = { clones: load.clones - warmUp.clones, pushes: load.pushes - warmUp.pushes }
  const work: SuiteCase = {
    name: `${done.clones} clones and ${done.pushes} pushes in ${loadS} s, ${peakMib} MiB at most`,
    outcome: failure === undefined ? 'passed' : 'failed',
    duration_s: loadS,
    ...(failure !== undefined && { message: failure }),
  }
  const cases = [work, ...verdictOn(before, after)]
  for (const { name, outcome, message = '' } of cases) console.log(`${outcome.padEnd(7)}${name}  ${message}`.trimEnd())
  const made = { gitClones: load.gitClones, gitPushes: load.gitPushes }
  const details = { ...done, ...made, loadS, peakMib, before, after }
  return closeCases({ suite: 'soak', seed, cases, startedAtMs, details })
}

function noFailure(): undefined {
  return undefined
}

function progressOf({ clones, pushes }: Load, startedAtMs: number, pid: number): string {
  const seconds = Math.round((performance.now() - startedAtMs) / 1_000)
  const mebibytes = Math.round(MemorySampler.now(pid) / MEBIBYTE)
  return `${seconds} s: ${clones} clones, ${pushes} pushes, ${mebibytes} MiB`
}

await runCommand(HELP, main)
