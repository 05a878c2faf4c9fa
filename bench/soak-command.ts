/** `npm run soak`: whether a node that has served clones and pushes for a while ends where it began. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setInterval } from 'node:timers'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { runFolder } from '../harness/run-folder.ts'
import { closeCases, type SuiteCase } from '../harness/suite.ts'
import type { NodeProcess } from '../integration/support/node-process.ts'
import { GutsBench } from './hosts.ts'
import { MemorySampler } from './measure.ts'
import { CLONERS, Load, PUSHERS } from './soak/load.ts'
import { memoryOf, memoryText } from './soak/memory.ts'
import { QUIET_MS, quietStateOf } from './soak/state.ts'
import { GROWTH_MIB_MAX, verdictOn } from './soak/verdict.ts'
import { packOf, Sources } from './sources.ts'

const HELP = `Usage: npm run soak [-- --time 10m] [--seed N]

${CLONERS} clone a repository of 160,000 objects at the same time, and ${PUSHERS} push it to repositories of
their own, which they delete: for as long as is said, from a real node. What each clone brings is
checked (checksum and number of objects; every 20th by git itself, with git fsck). Who is refused by
an overloaded node (503) comes again a second later; how often that was is printed.

Before that, everybody does it twice: that is when caches fill (a pack is kept in memory from the
second clone on). Then, and in the end, the node is left alone until it has been at rest for
${QUIET_MS / 1_000} s, with nothing at work and nothing changed, and what it holds is compared. It has
passed when open descriptors, files in the data directory and rows in the database are the same, no
thread is more, and resident memory is at most ${GROWTH_MIB_MAX} MiB more. What memory is made of is printed at
both moments and on the way. Writes reports/soak/summary.json.

  --time T   how long (10m)
  --seed N   of the history (1)
`

const PROGRESS_MS = 60_000
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
  const { pack, oid } = await packOf(source.path)
  const { objects } = source
  const load = new Load({ guts, name: 'large', source: source.path, pack, oid, objects, folder: clones, signal })
  const { pid } = guts.node

  console.log('everybody twice, then quiet')
  for (let round = 0; round < 2; round++) await load.run(() => false)
  const before = await quietStateOf(guts.node, signal)
  console.log(`before: ${memoryText(before.memory)}`)
  const warmUp = { clones: load.clones, pushes: load.pushes }
  const loadStartedAtMs = performance.now()
  using sampler = new MemorySampler(pid)
  const progress = sayProgress(load, guts.node)
  const failure = await load.run(() => performance.now() - loadStartedAtMs < time).then(noFailure, String)
  await progress.end()
  signal.throwIfAborted()
  const loadS = Math.round((performance.now() - loadStartedAtMs) / 1_000)
  const peakMib = Math.round(sampler.peakBytes / MEBIBYTE)
  const loaded = await memoryOf(guts.node)
  const after = await quietStateOf(guts.node, signal)
  console.log(`after: ${memoryText(after.memory)}`)

  const done = { clones: load.clones - warmUp.clones, pushes: load.pushes - warmUp.pushes }
  const cpuS = loaded.cpuSeconds - before.memory.cpuSeconds
  const cpuText = `${(cpuS / done.clones).toFixed(3)} s of processor time a clone with its share of the pushes`
  const work: SuiteCase = {
    name: `${done.clones} clones and ${done.pushes} pushes in ${loadS} s, ${peakMib} MiB at most; ${cpuText}; ${load.refused} refused`,
    outcome: failure === undefined ? 'passed' : 'failed',
    duration_s: loadS,
    ...(failure !== undefined && { message: failure }),
  }
  const cases = [work, ...verdictOn(before, after)]
  for (const { name, outcome, message = '' } of cases) console.log(`${outcome.padEnd(7)}${name}  ${message}`.trimEnd())
  const made = { gitClones: load.gitClones, gitPushes: load.gitPushes, refused: load.refused }
  const details = { ...done, ...made, loadS, cpuS, peakMib, before, after }
  return closeCases({ suite: 'soak', seed, cases, startedAtMs, details })
}

function noFailure(): undefined {
  return undefined
}

/** One line now and then. */
function sayProgress(load: Load, node: NodeProcess): { end(): Promise<void> } {
  const startedAtMs = performance.now()
  const say = async (): Promise<void> => {
    const memory = await memoryOf(node).then(memoryText, String)
    const seconds = Math.round((performance.now() - startedAtMs) / 1_000)
    console.log(`${seconds} s: ${load.clones} clones, ${load.pushes} pushes, ${load.refused} refused, ${memory}`)
  }
  const timer = setInterval(() => void say(), PROGRESS_MS)
  return {
    end: () => {
      clearInterval(timer)
      return say()
    },
  }
}

await runCommand(HELP, main)
