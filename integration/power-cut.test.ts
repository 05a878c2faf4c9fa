/**
 * Done-when 9, second half: what was acknowledged is there after a power cut that takes everything unsynced, and each
 * sync of the write path is needed for that.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RunningNode } from '../src/node.ts'
import { prepareDataDirectory } from '../src/storage/data-directory.ts'
import { fsck, Git, temporaryFolder } from './support/git.ts'
import { createUserHere, startNodeHere } from './support/node-in-process.ts'
import { PowerCutDisk, type SyncCall } from './support/power-cut.ts'

/** What the node acknowledges before the power goes; each step builds on the one before. */
const STEPS = ['create', 'first push', 'second push', 'thin push', 'delete'] as const
type Step = (typeof STEPS)[number]

/** The syncs of each step, in their order: a new one has to be listed here, and is then shown to be needed. */
const SYNCS: Readonly<Record<Step, readonly string[]>> = {
  create: [
    'quarantine/UUID/config',
    'quarantine/UUID/objects',
    'quarantine/UUID',
    'repositories',
    'repositories/alice',
  ],
  'first push': [
    'quarantine/UUID/incoming.pack',
    'quarantine/UUID/incoming.idx',
    'repositories/alice/site.git/objects/pack',
  ],
  'second push': [
    'quarantine/UUID/incoming.pack',
    'quarantine/UUID/incoming.idx',
    'repositories/alice/site.git/objects/pack',
  ],
  // Synced while it is checked, and again when the bases that it lacks were appended.
  'thin push': [
    'quarantine/UUID/incoming.pack',
    'quarantine/UUID/incoming.pack',
    'quarantine/UUID/incoming.idx',
    'repositories/alice/site.git/objects/pack',
  ],
  delete: ['repositories/alice'],
}

/** What a small change of it is sent as a delta against. */
const LINES = Array.from({ length: 300 }, (_, line) => `${createHash('sha1').update(String(line)).digest('hex')}\n`)

interface Outcome {
  /** Those of the last step. */
  readonly syncs: readonly SyncCall[]
  /** What is wrong after the power cut. */
  readonly damage: string | undefined
}

/** @param skipped which sync of the last step is only pretended */
async function cutPowerAfter(last: Step, skipped?: number): Promise<Outcome> {
  using folder = temporaryFolder('power-cut')
  const data = join(folder.path, 'data')
  await prepareDataDirectory(data)
  const disk = new PowerCutDisk(data, ['repositories', 'quarantine', 'trash'])
  const node = await startNodeHere(data, disk)
  const person = new Person(folder.path, await createUserHere(node, 'alice'))
  const steps = STEPS.slice(0, STEPS.indexOf(last) + 1)
  let before = 0
  for (const step of steps) {
    before = disk.syncs.length
    if (step === last && skipped !== undefined) disk.skippedSync = before + skipped
    await person.do(step, node)
  }
  const syncs = disk.syncs.slice(before)
  disk.powerOff()
  await node.stop()
  disk.forget()
  const again = await startNodeHere(data)
  try {
    await person.check(again, data)
    return { syncs, damage: undefined }
  } catch (error) {
    return { syncs, damage: error instanceof Error ? error.message : String(error) }
  } finally {
    await again.stop()
  }
}

class Person {
  readonly #git: Git
  readonly #token: string
  #pushed: string | undefined
  #deleted = false

  constructor(folder: string, token: string) {
    mkdirSync(join(folder, 'work'))
    this.#git = new Git(join(folder, 'work'))
    this.#token = token
  }

  async do(step: Step, node: RunningNode): Promise<void> {
    if (step === 'create') {
      await this.#git.run('init', '--quiet', '--initial-branch=main')
      await this.#api(node, 'POST', '/api/repos', { name: 'site' }, 201)
    } else if (step === 'delete') {
      await this.#api(node, 'DELETE', '/api/repos/alice/site', undefined, 204)
      this.#deleted = true
    } else await this.#push(node, step)
  }

  /** @throws Error what was acknowledged and is not there, or what does not work any more */
  async check(node: RunningNode, data: string): Promise<void> {
    const gitDirectory = join(data, 'repositories/alice/site.git')
    if (this.#deleted) {
      expect(() => readFileSync(join(gitDirectory, 'config'))).toThrow('ENOENT')
      return
    }
    expect(await new Git(gitDirectory).run('config', '--file', 'config', 'core.bare')).toBe('true')
    if (this.#pushed !== undefined) {
      expect(await this.#git.run('ls-remote', this.#url(node), 'refs/heads/main')).toContain(this.#pushed)
      expect(await new Git(gitDirectory).run('rev-parse', 'refs/heads/main')).toBe(this.#pushed)
      await this.#git.run('clone', '--quiet', this.#url(node), join(this.#git.folder, '../clone'))
    }
    await fsck(gitDirectory)
    await this.#push(node, 'after the power cut')
    await fsck(gitDirectory)
  }

  async #push(node: RunningNode, what: string): Promise<void> {
    const lines = join(this.#git.folder, 'lines.txt')
    if (what === 'first push') writeFileSync(lines, LINES.join(''))
    if (what === 'thin push') writeFileSync(lines, LINES.with(100, `${what}\n`).join(''))
    writeFileSync(join(this.#git.folder, 'file.txt'), `${what}\n`)
    await this.#git.commit(what)
    await this.#git.run('push', '--quiet', this.#url(node), 'main')
    this.#pushed = await this.#git.run('rev-parse', 'main')
  }

  async #api(node: RunningNode, method: string, path: string, body: object | undefined, status: number): Promise<void> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' }
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${node.apiPort}${path}`, init)
    if (response.status !== status) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  }

  #url(node: RunningNode): string {
    return `http://alice:${this.#token}@127.0.0.1:${node.apiPort}/git/alice/site.git`
  }
}

describe.each(STEPS)('power cut after: %s', (step) => {
  it('loses nothing that was acknowledged', async () => {
    const { damage, syncs } = await cutPowerAfter(step)
    expect(damage).toBeUndefined()
    expect(syncs.map((sync) => sync.what)).toEqual(SYNCS[step])
  })

  // Of a file that is synced again later, the last one counts.
  const needed = SYNCS[step]
    .map((what, number) => ({ what, number }))
    .filter(({ what, number }) => SYNCS[step].lastIndexOf(what) === number)
  it.each(needed)('needs the sync of $what', async ({ number }) => {
    expect((await cutPowerAfter(step, number)).damage).toBeDefined()
  })
})
