/** `npm run load`: traffic of many clients, and books that must balance. */
import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { closeCases, reportFolder } from '../harness/suite.ts'
import { findTool } from '../harness/tools.ts'
import { readNodeAddress } from './environment.ts'
import { runLoad } from './load.ts'
import { LOAD_SCRIPT_NAMES, LOAD_SCRIPTS, type LoadScriptName } from './scripts.ts'

const HELP = `Usage: npm run load [-- SCRIPT… | all] [--short] [--seed N]

Drives a node with k6, real git traffic and API traffic, at fixed rates and with thresholds.
Afterwards the client's ledger is held against the node's /metrics: requests, statuses and bytes
must agree exactly, median latencies within a bucket. Pushed refs are looked at by real git.
Writes summary.json, junit.xml and report.txt to reports/load/.

Scripts (all of them, when none is named):
${LOAD_SCRIPT_NAMES.map((name) => `  ${name.padEnd(8)} ${LOAD_SCRIPTS[name].does}`).join('\n')}

  --short     10 s for each script instead of 60
  --seed N    the histories and choices of an earlier run (random)

Without further settings a node of our own is started, and gone in the end. For another one, which
nobody else may use meanwhile, set
  LOAD_BASE_URL     its address, such as https://staging.example.org
  LOAD_TOKEN        a token of one of its users; its rate limit must allow 5,000 requests a minute
  LOAD_METRICS_URL  its internal listener; without it the books are not compared
How it is reached: k6 takes SSL_CERT_FILE and SSL_CERT_DIR, git GIT_SSL_CAINFO, this command itself
NODE_EXTRA_CA_CERTS; all take HTTPS_PROXY, HTTP_PROXY and NO_PROXY, this command with NODE_USE_ENV_PROXY=1.

Examples:
  npm run load -- all --short
  npm run load -- clone push --seed 7
  LOAD_BASE_URL=https://staging.example.org LOAD_TOKEN=… npm run load -- api
`

const SUITE = 'load'

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { names, flags, numbers } = readOptions(args, {
    flags: ['short'],
    numbers: { seed: { otherwise: randomInt(2 ** 31), min: 0, max: 2 ** 31 - 1 } },
    names: { what: 'script', known: ['all', ...LOAD_SCRIPT_NAMES] },
  })
  const { seed } = numbers
  const scripts = LOAD_SCRIPT_NAMES.filter((name: LoadScriptName) => {
    return names.length === 0 || names.includes('all') || names.includes(name)
  })
  const address = readNodeAddress(process.env)
  const startedAtMs = performance.now()
  const say = (line: string): void => console.log(line)
  const k6 = await findTool('k6', { signal, say })
  say(`seed ${seed}; again: npm run load -- ${scripts.join(' ')}${flags.short ? ' --short' : ''} --seed ${seed}`)
  const { cases, tables } = await runLoad({ k6, address, scripts, short: flags.short, seed, signal, say })
  writeFileSync(join(reportFolder(SUITE), 'report.txt'), tables.map((table) => `${table}\n`).join('\n'))
  return closeCases({ suite: SUITE, seed, cases, startedAtMs, details: { scripts } })
}

await runCommand(HELP, main)
