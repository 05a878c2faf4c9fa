/** One person with one repository, whose requests can be made again as they were. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { RunningNode } from '../../src/node.ts'
import { Git, type GitOutcome, temporaryFolder } from '../support/git.ts'

/** So that a push that is made again brings the very same pack. */
const SAME_PACKS = ['-c', 'gc.auto=0', '-c', 'pack.threads=1']

const SHED_DELAY_MS = 250
const SHED_ATTEMPTS_MAX = 120

export class Client {
  readonly git: Git
  readonly #token: string

  /** @param token of alice */
  constructor(folder: string, token: string) {
    mkdirSync(join(folder, 'work'))
    this.git = new Git(join(folder, 'work'), SAME_PACKS)
    this.#token = token
  }

  /** @param files contents by name. @returns the commit's id */
  async commit(message: string, files: Readonly<Record<string, string>>): Promise<string> {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(this.git.folder, name), content)
    await this.git.commit(message)
    return this.git.run('rev-parse', 'HEAD')
  }

  /** @throws Error the node did not take it, or not all of it */
  async push(node: RunningNode, ...args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#try(['push', '--quiet', ...this.#withUrl(node, args)])
    if (code !== 0) throw new Error(`The push of ${args.join(' ')} ended with ${code}: ${stderr}`)
  }

  /** @throws Error the node took it, or did not say that it does not */
  async pushRefused(node: RunningNode, ...args: readonly string[]): Promise<void> {
    const { stderr } = await this.#try(['push', '--quiet', ...this.#withUrl(node, args)])
    if (!stderr.includes('[remote rejected]'))
      throw new Error(`The push of ${args.join(' ')} was not refused: ${stderr}`)
  }

  async clone(node: RunningNode): Promise<void> {
    using folder = temporaryFolder('crash-states-clone')
    const { code, stderr } = await this.#try([
      'clone',
      '--quiet',
      '--mirror',
      this.url(node),
      join(folder.path, 'c.git'),
    ])
    if (code !== 0) throw new Error(`The clone ended with ${code}: ${stderr}`)
  }

  async api(node: RunningNode, method: string, path: string, body: object | undefined, status: number): Promise<void> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' }
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
    const response = await patiently(
      () => fetch(`http://127.0.0.1:${node.apiPort}${path}`, init),
      (answer) => answer.status === 503,
    )
    const text = await response.text()
    if (response.status !== status) throw new Error(`${path}: ${response.status} ${text}`)
  }

  async create(node: RunningNode): Promise<void> {
    await this.api(node, 'POST', '/api/repos', { name: 'site' }, 201)
  }

  url(node: RunningNode): string {
    return `http://alice:${this.#token}@127.0.0.1:${node.apiPort}/git/alice/site.git`
  }

  #try(args: readonly string[]): Promise<GitOutcome> {
    return patiently(
      () => this.git.try(args),
      ({ stderr }) => stderr.includes('returned error: 503'),
    )
  }

  /** Options come before the address, what to push after it. */
  #withUrl(node: RunningNode, args: readonly string[]): string[] {
    const isOption = (arg: string): boolean => arg.startsWith('--')
    return [...args.filter(isOption), this.url(node), ...args.filter((arg) => !isOption(arg))]
  }
}

/** The harness works in the process of the node, which sheds load while that keeps it busy. */
async function patiently<T>(attempt: () => Promise<T>, isShed: (outcome: T) => boolean): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    const outcome = await attempt()
    if (!isShed(outcome) || attempts === SHED_ATTEMPTS_MAX) return outcome
    await delay(SHED_DELAY_MS)
  }
}
