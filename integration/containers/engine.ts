/** The container engine: a person's Docker where it answers, else a podman of our own that is gone in the end. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ToolMissingError } from '../../harness/errors.ts'
import { TOOLS } from '../../harness/tool-table.ts'
import { toolThere } from '../../harness/tools.ts'
import { run } from '../support/command-line.ts'
import { endMonitors, podmanConfiguration, podmanLack } from './podman.ts'

/** On everything that is made here, with the run's id. */
export const LABEL = 'guts.integration'

const START_MS_MAX = 20_000
const POLL_MS = 50

/** Why no engine can be used here, with how to get one; undefined: there is one. */
export function engineLack(): string | undefined {
  const client = toolThere('container engine')
  const { howToGet } = TOOLS['container engine']
  if (client === undefined) return `No container engine answers. ${howToGet}`
  const lack = basename(client) === 'podman' ? podmanLack(client) : undefined
  return lack === undefined ? undefined : `podman is there, but ${lack}. ${howToGet}`
}

export class Engine implements AsyncDisposable {
  /** Of this run: everything it makes has it in its name or label. */
  readonly id: string
  /** For whoever speaks to the engine, testcontainers among them. */
  readonly environment: Readonly<Record<string, string>>
  /** Its client, with what that must be told before the command. */
  readonly client: readonly [program: string, ...options: string[]]
  readonly #podman: { readonly folder: string; readonly service: ChildProcess } | undefined

  private constructor(id: string, client: string, podman?: { folder: string; service: ChildProcess; socket: string }) {
    this.id = id
    this.#podman = podman
    this.client = podman === undefined ? [client] : [client, ...storageOptions(podman.folder)]
    // Its reaper is an image from a registry; what is made here carries a label instead.
    const ours = { TESTCONTAINERS_RYUK_DISABLED: 'true' }
    const { DOCKER_HOST: host } = process.env
    const named = podman === undefined ? host : `unix://${podman.socket}`
    // In a container itself, testcontainers would look for the engine at its gateway.
    const configured =
      podman === undefined ? {} : { ...configurationOf(podman.folder), TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1' }
    this.environment = { ...ours, ...configured, ...(named === undefined ? {} : { DOCKER_HOST: named }) }
  }

  /** @throws ToolMissingError */
  static async open(): Promise<Engine> {
    const lack = engineLack()
    const client = toolThere('container engine')
    if (lack !== undefined || client === undefined) throw new ToolMissingError('container engine', lack ?? '')
    const id = Math.floor(performance.timeOrigin + performance.now()).toString(36) + process.pid.toString(36)
    return basename(client) === 'podman' ? Engine.#withPodman(id, client) : new Engine(id, client)
  }

  static async #withPodman(id: string, client: string): Promise<Engine> {
    const folder = mkdtempSync(join(tmpdir(), 'guts-podman-'))
    for (const name of ['root', 'run', 'networks', 'tmp']) mkdirSync(join(folder, name))
    const socket = join(folder, 'podman.sock')
    writeFileSync(configurationOf(folder).CONTAINERS_CONF, podmanConfiguration(join(folder, 'networks')))
    const service = spawn(client, [...storageOptions(folder), 'system', 'service', '--time=0', `unix://${socket}`], {
      env: { ...process.env, ...configurationOf(folder) },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    service.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const engine = new Engine(id, client, { folder, service, socket })
    try {
      const untilMs = performance.now() + START_MS_MAX
      while (!(await answers(socket))) {
        if (service.exitCode !== null || performance.now() > untilMs) {
          throw new Error(`podman does not serve its socket: ${said}`)
        }
        await delay(POLL_MS)
      }
      return engine
    } catch (error) {
      await engine[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Runs the client. @returns what it printed. @throws Error with what it said */
  async run(...args: readonly string[]): Promise<string> {
    const environment = { HOME: process.env['HOME'] ?? '/', ...this.environment }
    const [client, ...options] = this.client
    const { exitCode, stdout, stderr } = await run(client, [...options, ...args], environment)
    if (exitCode !== 0) throw new Error(`${basename(client)} ${args.join(' ')} ended with ${exitCode}: ${stderr}`)
    return stdout.trimEnd()
  }

  /** @returns the image's name */
  async build(name: string, context: string, args: readonly string[] = []): Promise<string> {
    const tag = this.imageName(name)
    // podman's own format has no health check.
    const format = this.#podman === undefined ? [] : ['--format', 'docker']
    await this.run('build', '--quiet', ...format, '--label', `${LABEL}=${this.id}`, '--tag', tag, ...args, context)
    return tag
  }

  imageName(name: string): string {
    return `localhost/guts-${name}:${this.id}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#podman === undefined) return this.#removeOurs()
    const { folder, service } = this.#podman
    try {
      // All there is in this storage is ours.
      await this.run('rm', '--all', '--force', '--volumes', '--time', '0')
    } finally {
      if (service.exitCode === null && service.kill('SIGTERM')) await once(service, 'close')
      endMonitors(join(folder, 'root'))
      removeStorage(this.client[0], folder)
    }
  }

  async #removeOurs(): Promise<void> {
    const label = `label=${LABEL}=${this.id}`
    const containers = await this.run('ps', '--all', '--quiet', '--filter', label)
    for (const id of lines(containers)) await this.run('rm', '--force', '--volumes', id)
    for (const id of lines(await this.run('network', 'ls', '--quiet', '--filter', label))) {
      await this.run('network', 'rm', id)
    }
    for (const id of new Set(lines(await this.run('images', '--quiet', '--filter', label)))) {
      await this.run('rmi', '--force', id)
    }
  }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

function storageOptions(folder: string): string[] {
  return ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--tmpdir', join(folder, 'tmp')]
}

function configurationOf(folder: string): { readonly CONTAINERS_CONF: string } {
  return { CONTAINERS_CONF: join(folder, 'containers.conf') }
}

/** Files in a person's own podman belong to users that only podman can act for. */
function removeStorage(client: string, folder: string): void {
  if (process.getuid?.() !== 0) execFileSync(client, ['unshare', 'rm', '-rf', join(folder, 'root')])
  rmSync(folder, { recursive: true, force: true })
}

function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return Promise.resolve(false)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const ping = request({ socketPath, path: '/_ping' }, (response) => {
    response.resume()
    resolve(response.statusCode === 200)
  })
  ping.once('error', () => resolve(false))
  ping.end()
  return promise
}
