/** docker-compose.yml: by what it says, and by Docker's own reading of it where that is there. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { toolThere } from '../harness/tools.ts'
import { loadConfig } from '../src/config/load.ts'
import { endMsMax } from './support/close-time.ts'
import { guts, gutsJson, ROOT, run } from './support/command-line.ts'
import { temporaryFolder } from './support/git.ts'

const FILE = join(ROOT, 'docker-compose.yml')
const TEXT = readFileSync(FILE, 'utf8')
/** Of the keys that Compose knows, those in use here: one that is not among them may be misspelt. */
const SERVICE_KEYS = [
  'build',
  'cap_drop',
  'configs',
  'depends_on',
  'environment',
  'image',
  'ports',
  'profiles',
  'read_only',
  'restart',
  'security_opt',
  'stop_grace_period',
  'volumes',
]

interface Service {
  readonly image: string
  readonly profiles?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
  readonly depends_on?: readonly string[]
  readonly stop_grace_period?: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, null>>
  readonly configs: { readonly prometheus: { readonly content: string } }
}

let compose: Compose
let variables: Readonly<Record<string, string>>

beforeAll(async () => {
  using folder = temporaryFolder('compose')
  const out = join(folder.path, 'env')
  const script = [join(ROOT, 'scripts/compose-env.ts'), '--out', out]
  expect(await run(process.execPath, script)).toMatchObject({ exitCode: 0 })
  expect(statSync(out).mode & 0o777).toBe(0o600)
  const first = readFileSync(out, 'utf8')
  // With another key a node is another node.
  expect(await run(process.execPath, script)).toMatchObject({ exitCode: 0 })
  expect(readFileSync(out, 'utf8')).toBe(first)
  variables = parseEnv(first) as Record<string, string>
  const filled = TEXT.replace(/\$\{(\w+):\?[^}]*\}/g, (_, name: string) => variables[name] ?? `no ${name}`)
  compose = parse(filled, { merge: true }) as Compose
})

const envText = (): string =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
const nodes = (): [string, Service][] => Object.entries(compose.services).filter(([name]) => name.startsWith('node-'))
const configOf = ({ environment = {} }: Service) => loadConfig({ environment, requirePrivateKey: true }).config

describe('docker-compose.yml', () => {
  it('starts one node, and three with Prometheus by the profile', () => {
    const startedBy = (profile?: string): string[] =>
      Object.entries(compose.services)
        .filter(([, { profiles }]) => profiles === undefined || (profile !== undefined && profiles.includes(profile)))
        .map(([name]) => name)
    expect(startedBy()).toEqual(['node-1'])
    expect(startedBy('three')).toEqual(['node-1', 'node-2', 'node-3', 'prometheus'])
  })

  it('uses no key that is not known, and nothing that is not declared', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(
        Object.keys(service).filter((key) => !SERVICE_KEYS.includes(key)),
        name,
      ).toEqual([])
      const volumes = service.volumes.map((volume) => volume.split(':')[0] ?? '')
      expect(Object.keys(compose.volumes), name).toEqual(expect.arrayContaining(volumes))
      expect(Object.keys(compose.services)).toEqual(expect.arrayContaining([...(service.depends_on ?? [])]))
    }
  })

  it('gives each node a key and a volume of its own, and settings that it takes', () => {
    const keys = nodes().map(([, service]) => Buffer.from(configOf(service).privateKeySeed ?? []).toString('hex'))
    expect(new Set(keys).size).toBe(3)
    expect(keys).toEqual([1, 2, 3].map((node) => variables[`NODE_${node}_KEY`]))
    expect(new Set(nodes().flatMap(([, { volumes }]) => volumes)).size).toBe(3)
    for (const [name, service] of nodes()) {
      expect(configOf(service).announceAddresses.map(String), name).toEqual([`/dns4/${name}/tcp/9000`])
    }
  })

  it('lets the others find the first', () => {
    const [, ...others] = nodes()
    const address = `/dns4/node-1/tcp/9000/p2p/${variables['NODE_1_PEER']}`
    for (const [name, service] of others) {
      expect(configOf(service).bootstrapPeers.map(String), name).toEqual([address])
    }
  })

  it('has Prometheus scrape every node', () => {
    const { scrape_configs: jobs } = parse(compose.configs.prometheus.content) as {
      scrape_configs: [{ static_configs: [{ targets: string[] }] }]
    }
    const expected = nodes().map(([name, service]) => `${name}:${configOf(service).metricsAddress.port}`)
    expect(jobs[0].static_configs[0].targets).toEqual(expected)
  })

  it('opens nothing but to this machine, and no metrics of a node', () => {
    const published = Object.values(compose.services).flatMap(({ ports }) => ports)
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
    for (const [name, { ports }] of nodes())
      expect(
        ports.map((port) => port.split(':')[2]),
        name,
      ).toEqual(['8080'])
    expect(new Set(published.map((port) => port.split(':')[1])).size).toBe(published.length)
  })

  it('gives each node more time to end than it takes', () => {
    for (const [name, service] of nodes()) {
      const graceS = Number(/^(\d+)s$/.exec(service.stop_grace_period ?? '')?.[1])
      expect(graceS, name).toBeGreaterThan(endMsMax(configOf(service)) / 1_000)
    }
  })
})

describe('the commands at its head', () => {
  /** What follows a title, or stands below it. */
  const COMMANDS = Array.from(TEXT.matchAll(/^# (?:\S.*?: {2,}| {2,})(\S.*)$/gm), ([, command = '']) => command)
  /** Where the image has the node (Dockerfile). */
  const NODE = ['node', 'dist/src/main.js']

  it('inside of nodes are commands that a node takes, and make the others mirror the first', async () => {
    using folder = temporaryFolder('compose-commands')
    // Instead of Docker: says what it was asked, an argument a line.
    const docker = '#!/bin/sh\nfor one in "$@" ""; do echo "$one"; done >>"$ASKED"\n'
    writeFileSync(join(folder.path, 'docker'), docker, { mode: 0o755 })
    writeFileSync(join(folder.path, '.env'), envText())
    const asked = join(folder.path, 'asked')
    const PATH = `${folder.path}:${process.env['PATH']}`
    const script = COMMANDS.filter((line) => !line.includes('compose-env.ts')).join('\n')
    const ran = await run('sh', ['-euc', script], { PATH, ASKED: asked }, { cwd: folder.path })
    expect(ran).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    const dataOf = (node: string) => ({ GUTS_DATA_DIR: join(folder.path, node) })
    const calls = readFileSync(asked, 'utf8').trim().split('\n\n')
    expect(calls).toHaveLength(3)
    for (const call of calls) {
      const [, node = '', lines = ''] = /^compose\n(?:--profile\nthree\n)?exec\n(.*)\n([\s\S]*)$/.exec(call) ?? []
      const words = lines.split('\n')
      expect(words.slice(0, 2)).toEqual(NODE)
      expect(Object.keys(compose.services)).toContain(node)
      expect(await guts(words.slice(2), dataOf(node)), words.join(' ')).toMatchObject({ exitCode: 0 })
    }
    for (const [node, service] of nodes().slice(1)) {
      const address = configOf(service).bootstrapPeers.map(String)[0]
      const all = { peer: variables['NODE_1_PEER'], address, repository: null }
      expect(await gutsJson(['mirror', 'list'], dataOf(node)), node).toEqual([all])
    }
  })

  it('stand in README, too', () => {
    const [, block] =
      /`docker-compose\.yml` [^`]*```sh\n([^`]*)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? []
    expect(block?.trim().split('\n')).toEqual(
      COMMANDS.filter((line) => /compose-env.*three|\.env$|mirror add/.test(line)),
    )
  })
})

const DOCKER = toolThere('docker compose')

it.skipIf(DOCKER === undefined)('Docker reads it, where its compose is there', async () => {
  using folder = temporaryFolder('compose')
  const file = join(folder.path, 'env')
  writeFileSync(file, envText())
  const config = (envFile: string, ...more: string[]) =>
    run(DOCKER ?? '', ['compose', '--file', FILE, '--env-file', envFile, '--profile', 'three', 'config', ...more])
  const { exitCode, stdout, stderr } = await config(file, '--services')
  expect(exitCode, stderr).toBe(0)
  expect(stdout.trim().split('\n').sort()).toEqual(Object.keys(compose.services))
  expect((await config('/dev/null')).stderr).toContain('run node scripts/compose-env.ts first')
})
