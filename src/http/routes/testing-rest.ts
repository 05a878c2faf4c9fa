/** For tests: the API on a real listener, over real services, with people who have tokens. */
import { git, openPeople, type People } from '../../collaboration/testing.ts'
import { Browse } from '../../collaboration/browse.ts'
import type { Caller } from '../../collaboration/caller.ts'
import { loadConfig } from '../../config/load.ts'
import { Bulkhead } from '../../resilience/bulkhead.ts'
import { unobserved } from '../../storage/observe.ts'
import type { WriteGate } from '../../storage/write-gate.ts'
import { GitWorkers } from '../../transfer/workers/pool.ts'
import { limitsOf } from '../limits.ts'
import type { Services } from '../services.ts'
import { serve, type TestServer } from '../testing.ts'
import { restRoutes } from './rest.ts'

type Person = Caller & { readonly token: string }

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

export interface RestServer extends AsyncDisposable {
  readonly people: People
  readonly server: TestServer
  readonly alice: Person
  readonly bob: Person
  readonly root: Person
  readonly gate: { closedBy: Error | undefined }
  ask(path: string, as?: Person, init?: { method: string; body?: unknown }): Promise<Answered>
  /** Puts what a repository of `git` holds where the node has its own, and tells the database of its refs. */
  fill(owner: string, name: string, from: string): Promise<void>
}

export async function serveRest(publicUrl?: string): Promise<RestServer> {
  const gate: RestServer['gate'] = { closedBy: undefined }
  const writeGate: WriteGate = {
    assertWritable() {
      if (gate.closedBy !== undefined) throw gate.closedBy
    },
  }
  const people = await openPeople({ writeGate })
  const { files, refs, metrics, tokens, users, repositories } = people
  const workers = new GitWorkers()
  const slots = new Bulkhead({ name: 'browse', slotsMax: 2, slotsPerKeyMax: 2, queueMax: 50 }, metrics)
  const browse = new Browse({ refs, files, workers, slots, observe: unobserved })
  const limits = limitsOf(loadConfig({ environment: {}, requirePrivateKey: false }).config)
  const services: Services = { users, tokens, repositories, browse, writeGate, limits, publicUrl }
  const guards = { authenticate: tokens.authenticate }
  const server = await serve(restRoutes, { guards, app: { publicUrl } }, services)
  const [alice, bob, root] = [await people.join('alice'), await people.join('bob'), await people.join('root', 'admin')]
  return {
    people,
    server,
    alice,
    bob,
    root,
    gate,
    async ask(path, as, init) {
      const headers = {
        ...(as === undefined ? {} : { authorization: `Bearer ${as.token}` }),
        ...(init?.body === undefined ? {} : { 'content-type': 'application/json' }),
      }
      const body = init?.body === undefined ? {} : { body: JSON.stringify(init.body) }
      const response = await fetch(server.origin + path, { method: init?.method ?? 'GET', headers, ...body })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
    },
    async fill(owner, name, from) {
      const path = files.path({ owner, name })
      git(from, 'push', '--quiet', '--mirror', path)
      const found = repositories.find(owner, name, root)
      if (found === undefined) throw new Error('made before')
      const updates = git(path, 'show-ref')
        .trim()
        .split('\n')
        .map((line) => ({ name: line.slice(41), oldOid: undefined, newOid: line.slice(0, 40), peeled: null }))
      await refs.apply({ repositoryId: found.id, updates, userId: null })
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await workers.close()
      await people[Symbol.asyncDispose]()
    },
  }
}
