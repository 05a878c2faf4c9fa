/** People who clone a repository and people who push it, again and again, until they are told to stop. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fsck, Git } from '../../integration/support/git.ts'
import type { GutsBench } from '../hosts.ts'
import { RawClient } from '../raw-client.ts'
import { PackAnswer } from './pack-answer.ts'

export const CLONERS = 8
export const PUSHERS = 4
/** Of so many clones one is made by git, and looked at with `git fsck`; of so many pushes one is made by git. */
const GIT_CLONE_EVERY = 20
const GIT_PUSH_EVERY = 5
/** Who was refused comes again: what an overloaded node's `Retry-After` says is at least this. */
const AGAIN_MS = 1_000

export interface LoadOptions {
  readonly guts: GutsBench
  /** Lies on the node, and is cloned. */
  readonly name: string
  /** The same on disk, to push from. */
  readonly source: string
  readonly pack: Buffer
  readonly oid: string
  /** Of the whole repository. */
  readonly objects: number
  /** For the clones of git. */
  readonly folder: string
  readonly signal: AbortSignal
}

export class Load {
  clones = 0
  gitClones = 0
  pushes = 0
  gitPushes = 0
  /** Times that somebody was told to come again, as the node was overloaded: on a machine that others use, too. */
  refused = 0
  readonly #options: LoadOptions

  constructor(options: LoadOptions) {
    this.#options = options
  }

  /**
   * Everybody at once, each at least once.
   *
   * @param goesOn asked before each further clone and push
   * @throws Error the first thing that went wrong
   */
  async run(goesOn: () => boolean): Promise<void> {
    const ended = new AbortController()
    const signal = AbortSignal.any([ended.signal, this.#options.signal])
    const repeat = async (once: () => Promise<void>): Promise<void> => {
      try {
        do await once()
        while (goesOn() && !signal.aborted)
      } catch (error) {
        ended.abort()
        throw error
      }
    }
    const cloners = Array.from({ length: CLONERS }, () => repeat(() => this.#clone()))
    const pushers = Array.from({ length: PUSHERS }, (_, at) => repeat(() => this.#push(`pushed-${at}`)))
    // All of them have ended before anything is said.
    const outcomes = await Promise.allSettled([...cloners, ...pushers])
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  async #clone(): Promise<void> {
    const number = this.clones++
    if (number % GIT_CLONE_EVERY === 0) return this.#cloneByGit(number)
    const { guts, name, objects } = this.#options
    await this.#patiently(async () => {
      const client = new RawClient(guts.target(name))
      const answer = new PackAnswer()
      await client.clone((bytes) => answer.take(bytes)).finally(() => client.close())
      expectObjects(answer.finish(), objects)
    })
  }

  async #cloneByGit(number: number): Promise<void> {
    this.gitClones++
    const { guts, name, objects, folder, signal } = this.#options
    const path = join(folder, `clone-${number}.git`)
    await this.#patiently(() => gitOf(folder, ['clone', '--quiet', '--mirror', guts.host.url(name), path], signal))
    await fsck(path)
    const counted = await new Git(path).run('count-objects', '-v')
    expectObjects(Number(/^in-pack: (\d+)$/m.exec(counted)?.[1]), objects)
    rmSync(path, { recursive: true })
  }

  /** To a repository of its own, which is gone afterwards. */
  async #push(name: string): Promise<void> {
    const number = this.pushes++
    const { guts, source, pack, oid, signal } = this.#options
    const target = await this.#patiently(() => guts.create(name))
    if (number % GIT_PUSH_EVERY === 0) {
      this.gitPushes++
      await this.#patiently(() => gitOf(source, ['push', '--quiet', guts.host.url(name), 'main'], signal))
    } else {
      await this.#patiently(async () => {
        const client = new RawClient(target)
        await client.push('refs/heads/main', oid, pack).finally(() => client.close())
      })
    }
    await this.#patiently(() => guts.remove(name))
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!/\b503\b/.test(String(error))) throw error
        this.refused++
        await delay(AGAIN_MS, undefined, { signal: this.#options.signal })
      }
    }
  }
}

async function gitOf(folder: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const { code, stderr } = await new Git(folder).try(args, undefined, signal)
  if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}: ${stderr}`)
}

function expectObjects(found: number, objects: number): void {
  if (found !== objects) throw new Error(`A clone holds ${found} objects, not ${objects}`)
}
