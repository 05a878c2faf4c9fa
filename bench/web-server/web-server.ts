/** One nginx on the loopback: files as they are, and repositories by `git http-backend`. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { groupEndsWith, killGroup } from '../../harness/process-group.ts'
import { freePorts } from '../../integration/support/free-ports.ts'
import { nginxConfiguration } from './configuration.ts'
import type { WebServerTools } from './find.ts'

/** As many requests as clients at a time. */
const BACKENDS = 8
const START_MS_MAX = 10_000
const POLL_MS = 20

export class WebServer implements AsyncDisposable {
  /** Bare repositories in here are served below `origin/git/`. */
  readonly repositories: string
  /** Files in here are served below `origin/static/`. */
  readonly files: string
  readonly origin: string
  readonly #stack: AsyncDisposableStack

  private constructor(folder: string, origin: string, stack: AsyncDisposableStack) {
    this.repositories = join(folder, 'repositories')
    this.files = join(folder, 'static')
    this.origin = origin
    this.#stack = stack
  }

  /** @param folder is made, and holds everything of the server */
  static async start(tools: WebServerTools, folder: string, signal: AbortSignal): Promise<WebServer> {
    await using stack = new AsyncDisposableStack()
    for (const name of ['', 'repositories', 'static', 'temporary', 'home']) mkdirSync(join(folder, name))
    const [port = 0] = await freePorts(1)
    const gitPrograms = execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim()
    const configuration = join(folder, 'nginx.conf')
    writeFileSync(configuration, nginxConfiguration({ folder, port, gitPrograms, path: process.env['PATH'] ?? '' }))
    const socket = join(folder, 'fcgiwrap.socket')
    const backends = ['-c', String(BACKENDS), '-s', `unix:${socket}`]
    const fcgiwrap = startProgram(stack, tools.fcgiwrap, backends, tools.environment, signal)
    await until(() => existsSync(socket), fcgiwrap, 'fcgiwrap')
    const nginx = startProgram(stack, tools.nginx, ['-p', folder, '-c', configuration], {}, signal)
    await until(() => answers(port), nginx, 'nginx')
    return new WebServer(folder, `http://127.0.0.1:${port}`, stack.move())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

function startProgram(
  stack: AsyncDisposableStack,
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): ChildProcess {
  const env = { PATH: process.env['PATH'] ?? '', ...environment }
  // Each leads a group, in which its workers end with it.
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'close').catch(() => {})
  const group = groupEndsWith(child, signal)
  stack.defer(async () => {
    group[Symbol.dispose]()
    killGroup(child)
    await ended
  })
  return child
}

async function until(holds: () => boolean | Promise<boolean>, child: ChildProcess, name: string): Promise<void> {
  for (const endMs = performance.now() + START_MS_MAX; performance.now() < endMs;) {
    if (child.exitCode !== null || child.pid === undefined) break
    if (await holds()) return
    await delay(POLL_MS)
  }
  throw new Error(`${name} did not start`)
}

function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
