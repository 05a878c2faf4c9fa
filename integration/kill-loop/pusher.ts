/** One person who commits and pushes without pause, and remembers what the node said. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../support/git.ts'
import type { Random } from '../support/random.ts'

export interface RefHistory {
  /** The last value that the node acknowledged; undefined: none yet. */
  acknowledged: string | undefined
  /** What was sent since, and may or may not have arrived. */
  inDoubt: string[]
}

const LARGE_BYTES = 300_000

export class Pusher {
  readonly name: string
  /** By the ref's name. */
  readonly refs = new Map<string, RefHistory>()
  readonly #git: Git
  readonly #random: Random
  #commits = 0

  constructor(folder: string, name: string, random: Random) {
    this.name = name
    this.#random = random
    mkdirSync(join(folder, name))
    this.#git = new Git(join(folder, name))
  }

  async prepare(): Promise<void> {
    await this.#git.run('init', '--quiet', '--initial-branch=main')
  }

  /** Pushes until the node does not answer any more. @returns how many pushes were acknowledged */
  async pushUntilDead(url: string): Promise<number> {
    for (let acknowledged = 0; ; acknowledged++) {
      await this.#commitSomething()
      const oid = await this.#git.run('rev-parse', 'HEAD')
      const targets = this.#targets()
      for (const ref of targets) this.#history(ref).inDoubt.push(oid)
      const specs = targets.map((ref) => `${oid}:${ref}`)
      const { code } = await this.#git.try(['push', '--quiet', '--force', '--atomic', url, ...specs])
      if (code !== 0) return acknowledged
      for (const ref of targets) Object.assign(this.#history(ref), { acknowledged: oid, inDoubt: [] })
    }
  }

  /** A branch alone, or a branch together with two refs that only ever change together. */
  #targets(): string[] {
    const branch = `refs/heads/${this.name}`
    return this.#random.chance(0.5) ? [branch] : [branch, ...pairOf(this.name)]
  }

  #history(ref: string): RefHistory {
    let history = this.refs.get(ref)
    if (history === undefined) this.refs.set(ref, (history = { acknowledged: undefined, inDoubt: [] }))
    return history
  }

  async #commitSomething(): Promise<void> {
    const commit = this.#commits++
    appendFileSync(join(this.#git.folder, 'log.txt'), `${commit} ${this.#random.text(40)}\n`)
    if (this.#random.chance(0.2)) writeFileSync(join(this.#git.folder, 'large.txt'), this.#random.text(LARGE_BYTES))
    await this.#git.commit(`commit ${commit}`)
  }
}

/** Two refs that atomic pushes change together: nobody may ever see them differ. */
export function pairOf(name: string): [string, string] {
  return [`refs/heads/pairs/${name}/left`, `refs/heads/pairs/${name}/right`]
}
