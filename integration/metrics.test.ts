/** I10: `/metrics` as scrapers read it, and no series that a client made (Done when 6; movers in metrics-*.test.ts). */
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import parse from 'parse-prometheus-text-format'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HTTP_METHODS } from '../src/observability/label-sets.ts'
import { METRICS, type MetricDeclaration } from '../src/observability/metrics-table.ts'
import { NodeHost } from './support/hosts.ts'
import { freshScrape, OPEN_METRICS, parseMetrics, scrape } from './support/metrics.ts'
import { NodeProcess } from './support/node-process.ts'
import { Random } from './support/random.ts'
import { ask, exchange } from './support/raw-http.ts'

const SEED = Number(process.env['INTEGRATION_SEED'] ?? randomInt(2 ** 32))
const RANDOM_REQUESTS = 1_000
const AT_A_TIME = 16
const PROMTOOL = spawnSync('promtool', ['--version']).error === undefined

/** What promtool's lint may say. */
const LINT_ALLOWED = [
  // DESIGN §4.7 fixes these names: they count what there is, which can shrink.
  /^guts_(?:storage_objects|repositories|users|organizations|pull_requests|issues)_total non-counter metrics should not have "_total" suffix$/,
  // Names of prom-client's own process and Node.js metrics, as every Node.js dashboard knows them.
  /^nodejs_\w+_total non-counter metrics should not have "_total" suffix$/,
]

/** Whose mover comes with a later part of the project; every other metric is moved in one of the files. */
const LATER = {
  organizations: 'collaboration, not filed yet',
  pullRequests: 'collaboration, not filed yet',
  issues: 'collaboration, not filed yet',
} as const satisfies Partial<Record<keyof typeof METRICS, string>>
const MOVED_IN = [
  ...['requests', 'git', 'git-late', 'limits', 'state'].map((part) => `metrics-${part}.test.ts`),
  ...['replication', 'lying-home', 'configuration-peers', 'maintenance', 'prune-push', 'walk-helps'].map(
    (name) => `${name}.test.ts`,
  ),
]

let node: NodeProcess
let host: NodeHost

beforeAll(async () => {
  node = await NodeProcess.start({ environment: { GUTS_RATE_LIMIT: '0' } })
  host = await NodeHost.on(node)
  await host.create('site')
})

afterAll(() => node[Symbol.asyncDispose]())

const DECLARED: readonly MetricDeclaration[] = Object.values(METRICS)

it('each metric is moved by a test, or by a later issue', async () => {
  const text = [...MOVED_IN, 'support/metered-node.ts']
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
    .join('\n')
  const byCall = ['httpRequests', 'httpRequestDuration', 'httpRequestSize', 'httpResponseSize']
  const unmoved = Object.entries(METRICS).filter(([key, { name }]) => !byCall.includes(key) && !text.includes(name))
  expect(unmoved.map(([key]) => key).sort()).toEqual(Object.keys(LATER).sort())
  // Nothing moves these by accident: they are there, and 0.
  const series = parseMetrics(await scrape(node.ports.internal))
  const names = Object.entries(METRICS).flatMap(([key, { name }]) => (key in LATER ? [name] : []))
  const moved = [...series].filter(([key, value]) => names.some((name) => key.startsWith(name)) && value !== 0)
  expect(moved).toEqual([])
})

describe('the exposition', () => {
  it('is what the table declares, to a parser that is not ours', async () => {
    const text = await scrape(node.ports.internal)
    const families = new Map(parse(text).map((family) => [family.name, family]))
    const keys = [...parseMetrics(text).keys()].filter((key) => key.startsWith('guts_'))
    const declared = DECLARED.flatMap(({ name, type, labels, help }) => {
      expect(families.get(name), name).toMatchObject({ type: type.toUpperCase(), help })
      const names = Object.keys(labels)
      const samples = type === 'histogram' ? [`${name}_sum`, `${name}_count`, `${name}_bucket`] : [name]
      return samples.flatMap((sample) => {
        const sorted = (sample.endsWith('_bucket') ? [...names, 'le'] : names).sort()
        const found = keys.filter((key) => key.split('{', 1)[0] === sample)
        for (const key of found)
          expect(
            [...key.matchAll(/(\w+)="/g)].map(([, label]) => label),
            key,
          ).toEqual(sorted)
        return found
      })
    })
    expect(declared.sort()).toEqual(keys.sort())
    // None of them twice.
    expect(text.split('\n').filter((line) => line.startsWith('guts_')).length).toBe(keys.length)
    expect([...families.values()].filter(({ type }) => type === 'UNTYPED')).toEqual([])
  })

  it('has histograms whose buckets add up', async () => {
    const series = parseMetrics(await scrape(node.ports.internal))
    const histograms = Map.groupBy(
      [...series].filter(([key]) => /^guts_\w+_bucket/.test(key)),
      ([key]) => key.replace(/_bucket(.*?),?le="[^"]*",?/, '_count$1').replace(/\{\}$/, ''),
    )
    expect(histograms.size).toBeGreaterThan(20)
    for (const [count, buckets] of histograms) {
      const sorted = buckets.toSorted(([a], [b]) => boundOf(a) - boundOf(b)).map(([, value]) => value)
      expect(sorted, count).toEqual(sorted.toSorted((a, b) => a - b))
      expect(sorted.at(-1), count).toBe(series.get(count))
    }
  })

  it('says the same as OpenMetrics, in its own way', async () => {
    const text = await scrape(node.ports.internal)
    const open = await scrape(node.ports.internal, OPEN_METRICS)
    expect(open.endsWith('# EOF\n')).toBe(true)
    expect(open.indexOf('# EOF')).toBe(open.length - '# EOF\n'.length)
    expect(text).not.toContain('# EOF')
    const named = (all: string): string[] =>
      [...parseMetrics(all).keys()].filter((key) => key.startsWith('guts_')).sort()
    expect(named(open)).toEqual(named(text))
    // A counter is named without the ending of its samples (OpenMetrics 1.0, "Counter").
    const types = new Map(
      open.split('\n').flatMap((line) => {
        const [, name, type] = /^# TYPE (\S+) (\w+)$/.exec(line) ?? []
        return name === undefined || type === undefined ? [] : [[name, type] as const]
      }),
    )
    for (const { name, type } of DECLARED) {
      expect(types.get(type === 'counter' ? name.replace(/_total$/, '') : name), name).toBe(type)
    }
  })

  it('is refused by the parser where it is wrong', () => {
    const wrong = ['guts_x{a="b" 1\n', 'guts_x\n', 'guts_x one\n', '# TYPE guts_x\n']
    for (const text of wrong) expect(() => parseMetrics(text), text).toThrow()
  })

  it.skipIf(!PROMTOOL)(
    `passes promtool check metrics${PROMTOOL ? '' : ' (skipped: promtool is not here; Debian has it in the package prometheus)'}`,
    async () => {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: await scrape(node.ports.internal),
        encoding: 'utf8',
      })
      const said = `${stdout}${stderr}`.split('\n').filter((line) => line !== '')
      expect(said.filter((line) => !LINT_ALLOWED.some((allowed) => allowed.test(line)))).toEqual([])
      // 3: nothing but lint. A form that it cannot read is 1.
      expect([0, 3]).toContain(status)
      // Each line of the list is needed.
      expect(LINT_ALLOWED.filter((allowed) => !said.some((line) => allowed.test(line)))).toEqual([])
    },
  )
})

describe(`series, seed ${SEED} (INTEGRATION_SEED)`, () => {
  it(`${RANDOM_REQUESTS} requests to random paths, methods and names make no new ones`, async () => {
    const random = new Random(SEED)
    const { paths } = (await (await fetch(`${node.origin}/openapi.json`)).json()) as { paths: Record<string, object> }
    const routes = Object.keys(paths)
    const known = { Authorization: `Bearer ${host.token}` }
    const fill = (path: string, text: () => string): string => path.replace(/\{\w+\*?\}/g, text)
    const send = (method: string, path: string, headers = {}): (() => Promise<unknown>) =>
      method === '_OTHER'
        ? () => exchange(node.ports.api, Buffer.from(`${path.slice(1, 9)} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`))
        : () =>
            ask(node.ports.api, {
              method,
              path,
              headers: { 'Content-Type': 'application/json', ...headers },
              ...(method === 'POST' ? { body: '{' } : {}),
            })
    const methods = [...HTTP_METHODS, 'PROPFIND', 'TRACE']
    const name = (): string =>
      random.pick([
        'a',
        'A!',
        random.text(1 + random.below(60)),
        `%${random.text(2)}`,
        encodeURIComponent(String.fromCodePoint(0x100 + random.below(0x4000))),
      ])
    // One of each class: every route and none, by every method, with names that can be and cannot, with and without a caller.
    const first = [...routes, '/nothing'].flatMap((path) =>
      methods.flatMap((method) =>
        ['a1', 'A!', '%zz', 'a1/b2'].flatMap((text) => {
          const filled = fill(path, () => text)
          return ['', '?x=y'].flatMap((query) => [{}, known].map((headers) => send(method, filled + query, headers)))
        }),
      ),
    )
    await inTurn(first)
    const before = await freshScrape(node.ports.internal)
    const requests = Array.from({ length: RANDOM_REQUESTS }, () => {
      const path = random.chance(0.6)
        ? fill(random.pick(routes), name)
        : `/${Array.from({ length: 1 + random.below(5) }, name).join('/')}`
      const query = random.chance(0.3) ? `?${random.text(5)}=${random.text(9)}` : ''
      return send(
        random.chance(0.1) ? random.text(6).toUpperCase() : random.pick(methods),
        path + query,
        random.chance(0.5) ? known : {},
      )
    })
    await inTurn(requests)
    const after = await freshScrape(node.ports.internal)
    expect([...after.keys()].filter((key) => key.startsWith('guts_') && !before.has(key))).toEqual([])
    const total = (series: typeof after): number =>
      [...series]
        .filter(([key]) => key.startsWith('guts_http_requests_total') && !key.includes('"/metrics"'))
        .reduce((sum, [, value]) => sum + value, 0)
    expect(total(after) - total(before)).toBe(RANDOM_REQUESTS)
  })
})

const boundOf = (key: string): number => Number(/le="([^"]*)"/.exec(key)?.[1]?.replace('Inf', 'Infinity'))

async function inTurn(sends: readonly (() => Promise<unknown>)[]): Promise<void> {
  const waiting = [...sends]
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next()
    }),
  )
}
