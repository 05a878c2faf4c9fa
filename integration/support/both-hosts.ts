/** A node and C git's own server with the same repository: what a scenario does at one, it does at the other. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { makeHistory, pushByOthers, type Scenario, type Visit } from '../scenarios/scenario.ts'
import { contentsOf, fsck, Git, type GitOutcome, holdingsOf, temporaryFolder } from './git.ts'
import { type Host, NodeHost, TwinHost } from './hosts.ts'
import { NodeProcess } from './node-process.ts'

/** The repository of the scenarios that change nothing. */
const SHARED = 'shared'

type Place = Awaited<ReturnType<Host['create']>>

export class BothHosts implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack
  readonly #hosts: readonly [NodeHost, TwinHost]
  readonly #folder: string
  /** The history that the repositories begin with. */
  readonly #source: Git
  /** For scenarios that change nothing. */
  #shared: readonly Place[] = []
  #visits = 0

  private constructor(stack: AsyncDisposableStack, hosts: readonly [NodeHost, TwinHost], folder: string) {
    this.#stack = stack
    this.#hosts = hosts
    this.#folder = folder
    this.#source = new Git(join(folder, 'source'))
  }

  static async start(): Promise<BothHosts> {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(temporaryFolder('scenarios')).path
    // Git is asked about each repository when its scenario ends.
    const node = stack.use(await NodeProcess.start({ environment: { GUTS_RATE_LIMIT: '0' }, damaged: true }))
    const hosts = [await NodeHost.on(node), stack.use(await TwinHost.start())] as const
    mkdirSync(join(folder, 'source'))
    const both = new BothHosts(stack.move(), hosts, folder)
    await makeHistory(both.#source)
    both.#shared = await both.#fill(SHARED)
    return both
  }

  /** @throws AssertionError where anything is not the same: what was said, what the clone holds, what the host has */
  async expectSame(scenario: Scenario, version: string): Promise<void> {
    const name = `visit-${this.#visits++}`
    const places = scenario.changes === true ? await this.#fill(name) : this.#shared
    const [ours, theirs] = await Promise.all(
      places.map((place, at) => this.#visit(scenario, version, place, join(this.#folder, `${name}-${at}`))),
    )
    expect(ours).toEqual(theirs)
    if (scenario.changes === true) await fsck(this.#hosts[0].gitDirectory(name))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _stack = this.#stack
    await fsck(this.#hosts[0].gitDirectory(SHARED))
  }

  async #fill(name: string): Promise<Place[]> {
    const [node, twin] = this.#hosts
    const ours = await this.#pushTo(await node.create(name))
    // What C git's server makes of the same push is the same.
    const isFirst = this.#shared.length === 0
    return [ours, isFirst ? await this.#pushTo(await twin.create(name)) : twin.copy(SHARED, name)]
  }

  async #pushTo(place: Place): Promise<Place> {
    await this.#source.run('push', '--quiet', place.url, 'refs/heads/*:refs/heads/*', 'refs/tags/*:refs/tags/*')
    return place
  }

  async #visit(scenario: Scenario, version: string, place: Place, here: string): Promise<unknown> {
    mkdirSync(here)
    // Its own housekeeping would move packs while they are listed.
    const outside = new Git(here, ['-c', `protocol.version=${version}`, '-c', 'maintenance.auto=false'])
    const visit: Visit = {
      outside,
      clone: outside.in('clone'),
      url: place.url,
      source: this.#source,
      timeOf: (revision) => this.#source.run('log', '-1', '--format=%ct', revision),
      othersPush: (...refspecs) => pushByOthers(outside, this.#source, place.url, ...refspecs),
    }
    const said = await scenario.run(visit)
    return {
      said: said.map(withoutHost),
      holds: existsSync(visit.clone.folder) ? await holdingsOf(visit.clone) : undefined,
      host: scenario.changes === true ? await contentsOf(place.gitDirectory) : undefined,
    }
  }
}

/** What git prints names the host; `stderr` is for people, and each host words it as it likes. */
function withoutHost(outcome: GitOutcome | string): unknown {
  const plain = (text: string): string => text.replaceAll(/http:\/\/\S+/g, 'URL')
  return typeof outcome === 'string' ? plain(outcome) : { code: outcome.code, stdout: plain(outcome.stdout) }
}
