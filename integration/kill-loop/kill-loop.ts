/**
 * Kills a node with `kill -9` while people push to it, starts it again, and looks whether anything that was
 * acknowledged is missing (I1), anything half of an atomic push is there (I4), and everything is whole (I2).
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fsck, Git, temporaryFolder } from '../support/git.ts'
import { NodeHost } from '../support/hosts.ts'
import { NodeProcess } from '../support/node-process.ts'
import { Random } from '../support/random.ts'
import { pairOf, Pusher } from './pusher.ts'

export interface KillLoopOptions {
  readonly kills: number
  readonly seed: number
  /** Told after each kill. */
  readonly onKill?: (line: string) => void
}

export interface KillLoopReport {
  readonly seed: number
  readonly kills: number
  readonly acknowledgedPushes: number
  /** Pushes that were on their way when the node died, and had arrived. */
  readonly arrivedInDoubt: number
  readonly findings: readonly string[]
}

const PUSHERS = 3
/** A new repository after so many kills: thousands of packs in one would measure something else. */
const KILLS_PER_REPOSITORY = 10
const KILL_AFTER_MS_MAX = 1_500

export async function runKillLoop({ kills, seed, onKill }: KillLoopOptions): Promise<KillLoopReport> {
  using folder = temporaryFolder('kill-loop')
  const loop = new KillLoop(folder.path, new Random(seed))
  for (let kill = 1; kill <= kills; kill++) {
    await loop.killOnce()
    onKill?.(`kill ${kill}/${kills}: ${loop.acknowledged} pushes acknowledged, ${loop.findings.length} findings`)
  }
  await loop.finish()
  const { acknowledged, arrivedInDoubt, findings } = loop
  return { seed, kills, acknowledgedPushes: acknowledged, arrivedInDoubt, findings }
}

interface Round {
  readonly name: string
  readonly pushers: readonly Pusher[]
}

class KillLoop {
  acknowledged = 0
  arrivedInDoubt = 0
  readonly findings: string[] = []
  readonly #folder: string
  readonly #random: Random
  readonly #rounds: Round[] = []
  #user: { username: string; token: string } | undefined
  #host: NodeHost | undefined
  #kills = 0

  constructor(folder: string, random: Random) {
    this.#folder = folder
    this.#random = random
  }

  async killOnce(): Promise<void> {
    const host = (this.#host ??= await this.#start())
    if (this.#kills++ % KILLS_PER_REPOSITORY === 0) await this.#newRound(host)
    const round = this.#rounds[this.#rounds.length - 1] as Round
    const pushing = round.pushers.map((pusher) => pusher.pushUntilDead(host.url(round.name)))
    await delay(this.#random.below(KILL_AFTER_MS_MAX))
    await host.node.kill()
    for (const count of await Promise.all(pushing)) this.acknowledged += count
    this.#host = await this.#start()
    await this.#check(this.#host, round)
  }

  /** Everything once more, in repositories that later kills did not touch. */
  async finish(): Promise<void> {
    const host = this.#host
    if (host === undefined) return
    for (const round of this.#rounds) await this.#check(host, round)
    await host.node.stop()
  }

  async #start(): Promise<NodeHost> {
    const dataDirectory = join(this.#folder, 'data')
    const environment = { GUTS_RATE_LIMIT: '0', GUTS_LOG_LEVEL: 'info' }
    const quarantine = join(dataDirectory, 'quarantine')
    const foundThere = existsSync(quarantine) ? readdirSync(quarantine) : []
    const node = await NodeProcess.start({ dataDirectory, environment })
    this.#user ??= await node.createUser('alice')
    const failures = node.lines().filter((line) => line['level'] === 'error')
    for (const line of failures) this.#find(`the start logged an error: ${JSON.stringify(line)}`)
    // What came since belongs to maintenance, which goes to work as soon as the node is there.
    const left = readdirSync(quarantine).filter((name) => foundThere.includes(name))
    if (left.length > 0) this.#find(`the start left ${left.join(', ')} in quarantine`)
    return new NodeHost(node, this.#user)
  }

  async #newRound(host: NodeHost): Promise<void> {
    const name = `killed-${this.#rounds.length}`
    await host.create(name)
    const folder = join(this.#folder, name)
    await new Git(this.#folder).run('init', '--quiet', folder)
    const pushers = Array.from({ length: PUSHERS }, (_, at) => {
      return new Pusher(folder, `pusher-${at}`, new Random(this.#random.below(2 ** 32)))
    })
    for (const pusher of pushers) await pusher.prepare()
    this.#rounds.push({ name, pushers })
  }

  async #check(host: NodeHost, { name, pushers }: Round): Promise<void> {
    const told = await new Git(this.#folder).run('ls-remote', host.url(name))
    const refs = new Map(told.split('\n').map((line) => [line.slice(41), line.slice(0, 40)]))
    await fsck(host.gitDirectory(name)).catch((error: Error) => this.#find(`${name}: ${error.message}`))
    const onDisk = await new Git(host.gitDirectory(name)).run('for-each-ref', '--format=%(objectname)%09%(refname)')
    const served = told.split('\n').filter((line) => line.includes('\trefs/'))
    if (onDisk !== served.join('\n')) this.#find(`${name}: the refs on disk are not those that are served`)
    for (const pusher of pushers) {
      for (const [ref, history] of pusher.refs) {
        const found = refs.get(ref)
        if (found !== undefined && history.inDoubt.includes(found)) {
          this.arrivedInDoubt++
          Object.assign(history, { acknowledged: found })
        } else if (found !== history.acknowledged) {
          this.#find(`${name}: ${ref} is ${found}, and ${history.acknowledged} was acknowledged`)
        }
        history.inDoubt = []
      }
      const [left, right] = pairOf(pusher.name).map((ref) => refs.get(ref))
      if (left !== right) this.#find(`${name}: of an atomic push of ${pusher.name} only a part is there`)
    }
  }

  #find(finding: string): void {
    this.findings.push(`kill ${this.#kills}: ${finding}`)
  }
}
