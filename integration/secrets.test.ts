/** I9: whatever a client or the configuration is given, no secret of it comes out again (Done when 4). */
import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newTokenText } from '../src/collaboration/token-text.ts'
import { malformedWith, requestsWith } from './secret-places.ts'
import { Git, temporaryFolder } from './support/git.ts'
import { NodeHost } from './support/hosts.ts'
import { NodeProcess } from './support/node-process.ts'
import { ask, exchange, type RawAnswer } from './support/raw-http.ts'
import { findSecrets, type Haystack, spellingsOf } from './support/secret-search.ts'
import { TraceCollector } from './support/trace-collector.ts'

const PRIVATE_KEY = createHash('sha256').update('a key that is used here only').digest('hex')
/** No characters of a repository's name: that would rightly be logged. */
const PASSWORDS = { password: 'CorrectHorse_Battery9', 'odd password': 'Zx9"w%41&/+k7Q~v\\r3' }
const COLLECTOR_SECRET = 'C0llector S3cret/Value'
const AT_A_TIME = 16

let node: NodeProcess
let collector: TraceCollector
let host: NodeHost
let secrets: Record<string, string>
const answers: Haystack[] = []
const marker = {
  requestId: randomUUID(),
  traceId: createHash('md5').update(randomUUID()).digest('hex'),
  name: 'harmless-marker',
}

beforeAll(async () => {
  collector = await TraceCollector.start()
  node = await NodeProcess.start({
    environment: {
      GUTS_PRIVATE_KEY: PRIVATE_KEY,
      GUTS_LOG_LEVEL: 'trace',
      GUTS_RATE_LIMIT: '0',
      GUTS_TRUSTED_PROXIES: '127.0.0.0/8',
      ...collector.environment,
      OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${encodeURIComponent(COLLECTOR_SECRET)}`,
    },
  })
  host = await NodeHost.on(node)
  await host.create('site')
  secrets = {
    token: host.token,
    'fake token': newTokenText(),
    ...PASSWORDS,
    'private key': PRIVATE_KEY,
    'key of the collector': COLLECTOR_SECRET,
  }
})

afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await collector[Symbol.asyncDispose]()
})

/** What no secret may stand in: of an answer that succeeded only what is not the thing that was asked for. */
function keep(name: string, { status, head, body }: RawAnswer): void {
  const isGit = head.includes('application/x-git-')
  // A report has to name the refs as the client did (gitprotocol-pack, "Report Status").
  const shown = isGit ? body.toString('utf8').replace(/(?:ok|ng) [^\n]*? ?(?=[a-z ]*\n)/g, '') : body.toString('utf8')
  const failed = status >= 400 || status === 0
  // Where a new thing is to be found: by the name it was given.
  answers.push({ name, text: failed || isGit ? `${head}\n${shown}` : head.replace(/^location: .*$/im, '') })
}

async function sendAll(name: string, sends: readonly (() => Promise<RawAnswer>)[]): Promise<number> {
  const waiting = [...sends.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      keep(`${name} ${next[0]}`, await next[1]())
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
  return sends.length
}

describe('a node that is given secrets in every place', () => {
  it('the search finds each spelling', () => {
    for (const secret of Object.values({ ...secrets, marker: marker.name })) {
      for (const text of Object.values(spellingsOf(secret))) {
        expect(findSecrets({ secret }, [{ name: 'control', text: `{"x":"-${text}-"}` }])).not.toEqual([])
      }
      const basic = Buffer.from(`alice:${secret}`).toString('base64')
      expect(findSecrets({ secret }, [{ name: 'control', text: basic }])).not.toEqual([])
    }
  })

  it('requests', async () => {
    const { paths } = (await (await fetch(`${node.origin}/openapi.json`)).json()) as { paths: Record<string, object> }
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    )
    expect(routes.length).toBeGreaterThan(20)
    const options = { authorization: `Bearer ${host.token}`, routes, repository: 'alice/site' }
    for (const [name, secret] of Object.entries(secrets)) {
      const requests = requestsWith(secret, options)
      await sendAll(
        name,
        requests.map((request) => () => ask(node.ports.api, request)),
      )
      await sendAll(
        `${name} malformed`,
        malformedWith(secret).map((text) => () => exchange(node.ports.api, Buffer.from(text))),
      )
      const internal = requests.slice(0, 400)
      await sendAll(
        `${name} internal`,
        internal.map((request) => () => ask(node.ports.internal, request)),
      )
    }
    expect(answers.length).toBeGreaterThan(5_000)
  })

  it('pushes', async () => {
    using folder = temporaryFolder('secrets')
    const git = new Git(folder.path)
    await git.run('init', '--quiet', '--initial-branch=main', 'work')
    const work = git.in('work')
    const outcomes: Haystack[] = []
    for (const [name, secret] of Object.entries(secrets)) {
      const identity = ['-c', `user.name=${secret}`, '-c', `user.email=${secret.replaceAll(/[<>]/g, '')}`]
      await work.run(...identity, 'commit', '--quiet', '--allow-empty', '-m', secret)
      const header = ['-c', `http.extraHeader=X-Secret: ${secret}`, '-c', `http.userAgent=${secret}`]
      const ref = `refs/heads/${secret.replaceAll(/[^\w]/g, '-')}`
      outcomes.push(heard(`push of ${name}`, await work.try([...header, 'push', host.url('site'), `HEAD:${ref}`]), ref))
      outcomes.push(
        heard(`ls-remote of ${name}`, await work.try(['ls-remote', `-o${secret}`, host.url('site'), secret])),
      )
      // Refused for what it says where an identity should stand.
      const head = await work.run('rev-parse', 'HEAD^{tree}')
      const broken = `tree ${head}\nauthor ${secret}\ncommitter ${secret}\n\n${secret}\n`
      const { stdout } = await work.try(['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], broken)
      const push = ['push', host.url('site'), `${stdout.trim()}:refs/heads/broken`]
      const refused = await work.try(push)
      expect(refused.code).not.toBe(0)
      outcomes.push(heard(`broken push of ${name}`, refused))
    }
    // What the server said; git itself shows the address without the password.
    const remote = outcomes.map((one) => ({
      ...one,
      text: one.text
        .split('\n')
        .filter((line) => /^remote:|rejected/.test(line))
        .join('\n'),
    }))
    expect(remote.some((one) => one.text !== '')).toBe(true)
    expect(findSecrets(secrets, remote)).toEqual([])
  })

  it('harmless markers', async () => {
    await host.create(marker.name)
    const traceparent = `00-${marker.traceId}-00f067aa0ba902b7-01`
    const headers = { 'X-Request-Id': marker.requestId, Traceparent: traceparent }
    keep('marker', await ask(node.ports.api, { path: `/api/repos/alice/${marker.name}`, headers }))
  })

  it('are in none of its answers', () => {
    expect(findSecrets({ marker: marker.requestId }, answers)).not.toEqual([])
    expect(summary(findSecrets(secrets, answers))).toEqual([])
  })

  it('are in no health answer and no metric', async () => {
    const shown: Haystack[] = []
    for (const port of [node.ports.api, node.ports.internal]) {
      for (const path of ['/health', '/health/live', '/health/ready', '/health/startup', '/openapi.json']) {
        const { bytes, status } = await ask(port, { path })
        shown.push({ name: `${port} ${path}`, text: bytes.toString('utf8') })
        if (path.startsWith('/health')) expect(status).toBe(200)
      }
    }
    for (const Accept of ['text/plain', 'application/openmetrics-text']) {
      const { bytes } = await ask(node.ports.internal, { path: '/metrics', headers: { Accept } })
      expect(bytes.toString('utf8')).toContain('guts_git_operations_total{service="upload_pack"')
      shown.push({ name: `/metrics as ${Accept}`, text: bytes.toString('utf8') })
    }
    expect(findSecrets(secrets, shown)).toEqual([])
  })

  it('are in no log line and no span, to the end of the process', async () => {
    expect(await node.stop()).toBe(0)
    const logs = [...node.stdout.split('\n'), ...node.stderr.split('\n')].map((line, at) => ({
      name: `line ${at}`,
      text: line,
    }))
    for (const planted of Object.values(marker)) expect(findSecrets({ planted }, logs)).not.toEqual([])
    expect(summary(findSecrets(secrets, logs))).toEqual([])

    const spans = collector.bodies.map((body, at) => ({ name: `export ${at}`, text: body }))
    expect(findSecrets({ planted: marker.traceId }, spans)).not.toEqual([])
    expect(new Set(collector.spans().map((span) => span.name))).toContain('git-receive-pack')
    expect(summary(findSecrets(secrets, spans))).toEqual([])
    // The one place where it belongs.
    expect(collector.headers[0]?.['x-collector-key']).toBe(COLLECTOR_SECRET)
  })
})

/** A leak is mostly found a thousand times: a few of each kind are enough to mend it. */
function summary(found: readonly string[]): string[] {
  return found.length > 12 ? [...found.slice(0, 12), `… ${found.length} in all`] : [...found]
}

function heard(name: string, { stdout, stderr }: { stdout: string; stderr: string }, without = ''): Haystack {
  const all = `${stdout}${stderr}`
  return { name, text: without === '' ? all : all.replaceAll(without.replace('refs/heads/', ''), '') }
}
