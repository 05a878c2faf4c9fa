/** `npm run integration`: the node with its real neighbours. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { groupEndsWith } from '../harness/process-group.ts'
import { runFolder } from '../harness/run-folder.ts'
import { closeCases, reportFolder, type SuiteCase } from '../harness/suite.ts'
import { findTool } from '../harness/tools.ts'
import { Engine } from './containers/engine.ts'
import { buildFromFiles, buildNodeImage } from './containers/images.ts'
import { CLIENT, RUN_ID } from './containers/run.ts'
import { CASES_FILE, readCases } from './support/case-reporter.ts'
import { ROOT } from './support/command-line.ts'

const PARTS = {
  processes: 'real processes, git and disks; needs nothing else, and is a part of npm test',
  containers: 'the shipped image with Prometheus, Toxiproxy and other nodes',
  browser: 'the pages of a node in Chromium',
} as const
type Part = keyof typeof PARTS
const PART_NAMES = Object.keys(PARTS) as readonly Part[]

const HELP = `Usage: npm run integration [-- PART…] [--seed N]

Runs the node with its real neighbours, and does to each of them what happens to neighbours.
Writes summary.json and junit.xml to reports/integration/.

Parts (all of them, when none is named):
${PART_NAMES.map((name) => `  ${name.padEnd(11)} ${PARTS[name]}`).join('\n')}

  --seed N    the random requests of an earlier run (random)

Containers need Docker, or podman with runc; images are made of what is on this machine, so no
registry is asked: prometheus, and Go for Toxiproxy, must be there. The browser is the machine's
Chromium. What is missing is named, with how to get it.

Examples:
  npm run integration
  npm run integration -- containers browser
`

const SUITE = 'integration'

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { names, numbers } = readOptions(args, {
    numbers: { seed: { otherwise: randomInt(2 ** 31), min: 0, max: 2 ** 31 - 1 } },
    names: { what: 'part', known: PART_NAMES },
  })
  const { seed } = numbers
  const parts = PART_NAMES.filter((part) => names.length === 0 || names.includes(part))
  const startedAtMs = performance.now()
  const say = (line: string): void => console.log(line)
  // First of all: nobody waits for the first part to learn that the last one cannot be run.
  if (parts.includes('browser')) await findTool('chromium', { signal, say })
  await using stack = new AsyncDisposableStack()
  const environment = parts.includes('containers') ? await prepareContainers(stack, signal, say) : {}
  say(`seed ${seed}; again: npm run integration -- ${parts.join(' ')} --seed ${seed}`)
  const cases: SuiteCase[] = []
  for (const part of parts) {
    if (signal.aborted) break
    cases.push(...(await runPart(part, { ...environment, INTEGRATION_SEED: String(seed) }, signal)))
  }
  return closeCases({ suite: SUITE, seed, cases, startedAtMs, details: { parts } })
}

/** @returns what the tests have to know */
async function prepareContainers(
  stack: AsyncDisposableStack,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Record<string, string>> {
  const prometheus = await findTool('prometheus', { signal, say })
  const toxiproxy = await findTool('toxiproxy-server', { signal, say })
  const engine = stack.use(await Engine.open())
  say('building images from what is on this machine')
  await buildNodeImage(engine)
  signal.throwIfAborted()
  await buildFromFiles(engine, 'prometheus', [{ from: prometheus, to: '/usr/local/bin/prometheus' }])
  await buildFromFiles(engine, 'toxiproxy', [{ from: toxiproxy, to: '/usr/local/bin/toxiproxy-server' }])
  signal.throwIfAborted()
  return { ...engine.environment, [RUN_ID]: engine.id, [CLIENT]: JSON.stringify(engine.client) }
}

async function runPart(
  part: Part,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<SuiteCase[]> {
  const file = join(reportFolder(SUITE), `${part}.jsonl`)
  rmSync(file, { force: true })
  const project =
    part === 'processes'
      ? ['--project', 'integration']
      : ['--config', join(import.meta.dirname, 'vitest.config.ts'), '--project', part]
  const reporters = ['--reporter=default', `--reporter=${join(import.meta.dirname, 'support/case-reporter.ts')}`]
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
  using folder = runFolder(SUITE)
  const child = spawn(process.execPath, [vitest, 'run', ...project, ...reporters], {
    cwd: ROOT,
    env: { ...process.env, ...environment, TMPDIR: folder.path, [CASES_FILE]: file },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  })
  const exitCode = await endOf(child, signal)
  const cases = readCases(file)
  if (signal.aborted) {
    return [...cases, { name: part, outcome: 'skipped', duration_s: 0, message: 'The rest of it was interrupted' }]
  }
  const explained = cases.some(({ outcome }) => outcome === 'failed')
  if (exitCode === 0 || explained) return cases
  return [...cases, { name: part, outcome: 'failed', duration_s: 0, message: `vitest ended with ${exitCode}` }]
}

/** Vitest in a group of its own, so that an interruption ends what its tests have started, too. */
async function endOf(child: ChildProcess, signal: AbortSignal): Promise<number | null> {
  using _group = groupEndsWith(child, signal)
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return exitCode
}

await runCommand(HELP, main)
