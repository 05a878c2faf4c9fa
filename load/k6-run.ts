/** One run of k6. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { cleanEnvironment } from '../integration/support/command-line.ts'
import { type Ledger, LedgerBuilder, readLedger } from './ledger.ts'

export interface K6Outcome {
  readonly ledger: Ledger
  /** What went wrong, with what k6 told; undefined: it ran to its end, and kept every threshold. */
  readonly failure: string | undefined
}

/** k6 ran to its end, and a threshold was crossed. */
const EXIT_THRESHOLDS = 99
const LINES_TOLD = 12

export interface K6Run {
  readonly k6: string
  readonly script: string
  /** What the script reads. */
  readonly planFile: string
  /** Where k6 leaves its points. */
  readonly folder: string
  /** Of the target. */
  readonly network: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** @throws the signal's reason */
export async function runK6({ k6, script, planFile, folder, network, signal }: K6Run): Promise<K6Outcome> {
  const points = join(folder, 'points.json')
  const args = ['run', '--no-usage-report', '--no-color', '--quiet', '--out', `json=${points}`, script]
  const own = { LOAD_PLAN: planFile, K6_SYSTEM_TAGS: 'method,name,status,scenario', HOME: folder }
  const environment = { ...network, ...own }
  const child = spawn(k6, args, { env: cleanEnvironment(environment), stdio: ['ignore', 'pipe', 'pipe'] })
  const end = (): boolean => child.kill('SIGKILL')
  signal.addEventListener('abort', end)
  process.on('exit', end)
  try {
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    let complained = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complained += text))
    const [exitCode] = (await once(child, 'close')) as [number | null]
    signal.throwIfAborted()
    const last = complained.trimEnd().split('\n').slice(-LINES_TOLD).join('\n')
    if (exitCode === 0) return { ledger: await readLedger(points), failure: undefined }
    // Otherwise it did not even begin, and there may be no points.
    const crossed = exitCode === EXIT_THRESHOLDS
    const ledger = crossed ? await readLedger(points) : new LedgerBuilder().build()
    return { ledger, failure: `k6 ended with ${exitCode}: ${last}\n${said}` }
  } finally {
    signal.removeEventListener('abort', end)
    process.off('exit', end)
  }
}
