/** A node and the Prometheus that scrapes it, each in a container, and what happens when one of them is away. */
import { type StartedTestContainer, Wait } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { METRICS } from '../../src/observability/metrics-table.ts'
import { freePorts } from '../support/free-ports.ts'
import { Git, temporaryFolder } from '../support/git.ts'
import { keyOf, parseMetrics } from '../support/metrics.ts'
import { INTERNAL_PORT, NodeContainer } from './node-container.ts'
import { createNetwork, engine, RunContainer } from './run.ts'

const PORT = 9091
const PATIENCE = { timeout: 60_000, interval: 250 }
const CONFIGURATION = `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: guts
    static_configs: [{ targets: ['node:${INTERNAL_PORT}'] }]
`

const stack = new AsyncDisposableStack()
let node: NodeContainer
let prometheus: StartedTestContainer
let origin: string
let repositoryUrl: string

beforeAll(async () => {
  const network = stack.use(await createNetwork())
  node = stack.use(await NodeContainer.start({ networks: [network.name] }))
  const [port = 0] = await freePorts(1)
  origin = `http://127.0.0.1:${port}`
  prometheus = await new RunContainer('prometheus')
    .withCopyContentToContainer([{ content: CONFIGURATION, target: '/etc/prometheus.yml' }])
    .withCommand([
      'prometheus',
      '--config.file=/etc/prometheus.yml',
      '--storage.tsdb.path=/tmp/prometheus',
      `--web.listen-address=0.0.0.0:${PORT}`,
    ])
    .withExposedPorts({ container: PORT, host: port })
    .withNetworkMode(network.name)
    .withNetworkAliases('prometheus')
    .withWaitStrategy(Wait.forHttp('/-/ready', PORT))
    .start()
  stack.defer(async () => void (await prometheus.stop({ timeout: 0 })))
  repositoryUrl = await node.createRepository('alice', 'app')
})
afterAll(() => stack.disposeAsync())

interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [timeS: number, value: string]
}

async function query(expression: string): Promise<Sample[]> {
  const response = await fetch(`${origin}/api/v1/query?query=${encodeURIComponent(expression)}`)
  const { data } = (await response.json()) as { data: { result: Sample[] } }
  return data.result
}

const value = async (expression: string): Promise<number> => Number((await query(expression))[0]?.value[1])

async function push(): Promise<void> {
  using folder = temporaryFolder('prometheus')
  const git = new Git(folder.path)
  await git.run('init', '--quiet', '--initial-branch=main')
  await git.commit(`a commit of ${performance.now()}`)
  await git.run('push', '--quiet', '--force', repositoryUrl, 'main')
}

const LABELS = { method: 'POST', path: '/git/{owner}/{name}/git-receive-pack', status: '200' }
const PUSHES = keyOf('guts_http_requests_total', LABELS)

/** What the node itself says. */
async function pushesAtNode(): Promise<number> {
  return parseMetrics(await node.metrics()).get(PUSHES) ?? 0
}

describe('Prometheus', () => {
  it('scrapes the node, and has every metric of the table by its type', async () => {
    await expect.poll(() => value('up{job="guts"}'), PATIENCE).toBe(1)
    const response = await fetch(`${origin}/api/v1/targets/metadata?limit=1000`)
    const { data } = (await response.json()) as { data: { metric: string; type: string; help: string }[] }
    const types = new Map(data.map(({ metric, type }) => [metric, type]))
    // It asks for OpenMetrics, which names a counter without its ending.
    for (const { name, type } of Object.values(METRICS)) {
      expect(types.get(type === 'counter' ? name.replace(/_total$/, '') : name), name).toBe(type)
    }
  })

  it('sees each push that the node counts', async () => {
    const before = await pushesAtNode()
    await push()
    await push()
    await expect.poll(pushesAtNode).toBe(before + 2)
    await expect.poll(() => value(PUSHES), PATIENCE).toBe(before + 2)
    await expect.poll(() => value('guts_repositories_total'), PATIENCE).toBe(1)
  })
})

describe('when one of them is away', () => {
  it('Prometheus sees a node that hangs, and goes on where it was when that is over', async () => {
    const before = await pushesAtNode()
    await engine('pause', node.id)
    try {
      await expect.poll(() => value('up{job="guts"}'), PATIENCE).toBe(0)
      expect(await node.readiness()).toBeUndefined()
    } finally {
      await engine('unpause', node.id)
    }
    await expect.poll(() => value('up{job="guts"}'), PATIENCE).toBe(1)
    // It was late with everything, and sheds load for a moment.
    await expect.poll(() => node.readiness(), PATIENCE).toBe(200)
    await push()
    await expect.poll(() => value(PUSHES), PATIENCE).toBe(before + 1)
    expect(await value(`resets(${PUSHES}[1h])`)).toBe(0)
  })

  it('Prometheus sees a node that was killed start anew', async () => {
    const startedS = await value('process_start_time_seconds{job="guts"}')
    await engine('kill', '--signal', 'KILL', node.id)
    await expect.poll(() => value('up{job="guts"}'), PATIENCE).toBe(0)
    await engine('start', node.id)
    await expect.poll(() => value('up{job="guts"}'), PATIENCE).toBe(1)
    await expect.poll(() => value('process_start_time_seconds{job="guts"}'), PATIENCE).toBeGreaterThan(startedS)
    await expect.poll(() => node.readiness(), PATIENCE).toBe(200)
    await push()
    await expect.poll(() => value(PUSHES), PATIENCE).toBe(1)
  })

  it('the node does not care whether anybody scrapes it', async () => {
    await engine('kill', '--signal', 'KILL', prometheus.getId())
    await push()
    expect(await node.readiness()).toBe(200)
    const pushes = await pushesAtNode()
    await engine('start', prometheus.getId())
    await expect.poll(() => value(PUSHES).catch(() => undefined), PATIENCE).toBe(pushes)
  })
})
