import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cleanEnvironment, ROOT } from './command-line.ts'

/** `npm start`, as a person runs it. */
export class DevProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #output = ''

  private constructor(args: readonly string[], environment: Readonly<Record<string, string>>) {
    // A group of its own, for npm passes on no signals: Ctrl-C reaches every process of the group.
    this.#child = spawn('npm', ['start', '--', ...args], {
      cwd: ROOT,
      env: cleanEnvironment(environment),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    }
    this.#closed = once(this.#child, 'close')
  }

  /** Resolves once it has said that it runs. */
  static async start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<DevProcess> {
    const dev = new DevProcess(args, environment)
    const exited = dev.#closed.then(() => {
      throw new Error(`npm start ended:\n${dev.#output}`)
    })
    exited.catch(() => {})
    await Promise.race([dev.#said('Stop with Ctrl-C'), exited])
    return dev
  }

  /** Both streams together. */
  get output(): string {
    return this.#output
  }

  /** The one line to paste. */
  get pushLine(): string {
    const lines = this.#output.split('\n').filter((line) => line.startsWith('git '))
    if (lines.length !== 1) throw new Error(`${lines.length} lines begin with "git ":\n${this.#output}`)
    return lines[0] as string
  }

  /** Ctrl-C. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null) process.kill(-(this.#child.pid ?? 0), 'SIGINT')
    await this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #said(text: string): Promise<void> {
    while (!this.#output.includes(text)) await once(this.#child.stdout ?? this.#child, 'data')
  }
}
