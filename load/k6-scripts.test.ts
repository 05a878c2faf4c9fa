/** The scripts as k6 itself reads them; and the command with real k6 and a real node. Skipped where k6 is not there. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { toolThere } from '../harness/tools.ts'
import { run } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { gitRoutes } from '../src/http/routes/git.ts'
import { restRoutes } from '../src/http/routes/rest.ts'
import { templateOf } from '../src/http/route-table.ts'
import { CLIENT_METRICS } from './k6/metrics.ts'
import { runK6 } from './k6-run.ts'
import { runLoad } from './load.ts'
import type { LoadPlan } from './plan.ts'
import { LOAD_SCRIPT_NAMES, LOAD_SCRIPTS } from './scripts.ts'

const K6 = toolThere('k6')
/** Metrics of k6 itself that a threshold may name (k6's documentation, "Built-in metrics"). */
const K6_METRICS = ['checks', 'dropped_iterations', 'http_req_duration', 'http_req_failed']
const ROUTES = [...restRoutes, ...gitRoutes()].map(({ path }) => templateOf(path))
const INSPECT = ['inspect', '--include-system-env-vars']
const OID = 'a'.repeat(40)

const plan: LoadPlan = {
  // Nobody listens there.
  baseUrl: 'http://127.0.0.1:1',
  username: 'alice',
  token: 'token',
  seed: 1,
  seconds: 1,
  repositories: [{ path: 'alice/a', refs: [{ name: 'refs/heads/main', oid: OID }], objectCount: 3, files: ['a'] }],
  pushTo: 'alice/b',
  pushes: [],
}

function writePlan(folder: string): string {
  const file = join(folder, 'plan.json')
  writeFileSync(file, JSON.stringify(plan))
  return file
}

describe.skipIf(K6 === undefined).each(LOAD_SCRIPT_NAMES)('%s, where k6 is there', (name) => {
  it('has thresholds on metrics that exist', async () => {
    using folder = temporaryFolder('k6')
    const environment = { LOAD_PLAN: writePlan(folder.path), HOME: folder.path }
    const { exitCode, stdout, stderr } = await run(K6 ?? '', [...INSPECT, LOAD_SCRIPTS[name].file], environment)
    expect(exitCode, stderr).toBe(0)
    const { thresholds } = JSON.parse(stdout) as { thresholds: Record<string, string[]> }
    const known = [...K6_METRICS, ...Object.values(CLIENT_METRICS)]
    expect(Object.keys(thresholds).map((key) => key.replace(/\{.*/, ''))).toEqual(
      expect.arrayContaining(['checks', 'http_req_failed', 'http_req_duration']),
    )
    for (const key of Object.keys(thresholds)) {
      const [, metric, route] = /^([a-z_]+)(?:\{name:(.*)\})?$/.exec(key) ?? []
      expect(known, key).toContain(metric)
      if (route !== undefined) expect(ROUTES, key).toContain(route)
    }
  })

  it('fails where nobody answers', async () => {
    using folder = temporaryFolder('k6')
    const { signal } = new AbortController()
    const files = { script: LOAD_SCRIPTS[name].file, planFile: writePlan(folder.path), folder: folder.path }
    const outcome = await runK6({ k6: K6 ?? '', ...files, network: {}, signal })
    // 99: it ran, so k6 took every threshold for valid; and crossed some.
    expect(outcome.failure).toMatch(/^k6 ended with 99: .*thresholds on metrics .*'?checks/s)
    for (const { statuses } of outcome.ledger.entries) expect([...statuses.keys()]).toEqual(['0'])
  })
})

it('k6 is told how the node is reached, and nothing else of whoever runs it', async () => {
  using folder = temporaryFolder('k6')
  const k6 = join(folder.path, 'k6')
  writeFileSync(k6, '#!/bin/sh\nenv >"$HOME/told"\nexit 1\n', { mode: 0o755 })
  vi.stubEnv('HTTPS_PROXY', 'http://of-this-machine')
  onTestFinished(() => void vi.unstubAllEnvs())
  const network = { SSL_CERT_FILE: '/authorities.pem', http_proxy: 'http://proxy' }
  const { signal } = new AbortController()
  await runK6({ k6, script: 'api.ts', planFile: 'plan.json', folder: folder.path, network, signal })
  const told = readFileSync(join(folder.path, 'told'), 'utf8').split('\n')
  expect(told.filter((line) => /proxy|ssl/i.test(line)).sort()).toEqual([
    'SSL_CERT_FILE=/authorities.pem',
    'http_proxy=http://proxy',
  ])
})

describe.skipIf(K6 === undefined)('a run, where k6 is there', () => {
  it('leaves no process and no folder when it is interrupted', async () => {
    using folder = temporaryFolder('load-interrupted')
    vi.stubEnv('TMPDIR', folder.path)
    onTestFinished(() => void vi.unstubAllEnvs())
    const before = childrenOf(process.pid)
    const controller = new AbortController()
    const scripts = ['api', 'push'] as const
    const options = { k6: K6 ?? '', address: undefined, scripts, short: true, seed: 1, say: () => {} }
    const running = runLoad({ ...options, signal: controller.signal })
    // k6 has begun to write down what it does: in the middle of the first script.
    const points = (): boolean =>
      readdirSync(folder.path).some((name) => existsSync(join(folder.path, name, 'points.json')))
    await expect.poll(points, { timeout: 25_000 }).toBe(true)
    expect(childrenOf(process.pid).length).toBe(before.length + 2)
    controller.abort(new Error('interrupted'))
    expect((await running).cases.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['api', 'skipped'],
      ['push', 'skipped'],
    ])
    expect(childrenOf(process.pid)).toEqual(before)
    expect(readdirSync(folder.path)).toEqual([])
  })
})

/** By the kernel's list, of the main thread, which starts them all. */
function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((child) => child !== '')
}
