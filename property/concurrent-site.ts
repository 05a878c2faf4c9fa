/** A repository on which several people work at once, and what each of them has seen. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { decodeWhole } from '../fuzz/oracles/lines.ts'
import { blob, commit, type MadeObject, pack, tree, whole } from '../integration/support/pack-maker.ts'
import type { Caller } from '../src/collaboration/caller.ts'
import { encodePktLine, FLUSH } from '../src/git/pkt-line.ts'
import { StorageError } from '../src/storage/error.ts'
import { ObjectStore } from '../src/storage/objects/object-store.ts'
import { walkClosure } from '../src/storage/repositories/closure.ts'
import { readProjection } from '../src/storage/repositories/projection.ts'
import type { RepositoryRef } from '../src/transfer/git-request.ts'
import { type Answer, broughtBy, type Call, type Verdict, type Wish } from './concurrent-model.ts'
import type { GatedNode } from './gated-node.ts'
import type { Recorded } from './linearizability.ts'

const DAY_MS = 86_400_000
const NO_OID = '0'.repeat(40)
/** Each commit with the objects that it adds to those before it. */
export const COMMITS: { readonly oid: string; readonly objects: readonly MadeObject[] }[] = []
for (const [at, text] of ['one', 'two', 'three'].entries()) {
  const file = blob(text)
  const folder = tree(['100644', 'file', file.oid])
  const parents = at === 0 ? [] : [COMMITS[at - 1]?.oid ?? '']
  const made = commit(folder.oid, parents)
  COMMITS.push({ oid: made.oid, objects: [made, folder, file] })
}
const oidOf = (at: number | undefined): string => (at === undefined ? NO_OID : (COMMITS[at]?.oid ?? ''))
const numberOf = (oid: string): number => COMMITS.findIndex((one) => one.oid === oid)

/** Of which a push may say of a ref that it has the value that was seen last. */
export type Plan =
  | Exclude<Call, { does: 'push' }>
  | (Omit<Call & { does: 'push' }, 'wishes'> & { readonly wishes: readonly PlannedWish[] })
export type PlannedWish = Omit<Wish, 'from'> & { readonly from: Wish['from'] | 'known' }

export class Site {
  readonly history: Recorded<Call, Answer>[] = []
  readonly repository: RepositoryRef
  #now = 0
  /** A node does maintenance one at a time. */
  #maintained: Promise<unknown> = Promise.resolve()
  /** Weeks pass in between, so that what the one puts apart the next one lets go. */
  #nowMs = Date.now()

  readonly #node: GatedNode
  readonly #caller: Caller

  constructor(node: GatedNode, caller: Caller, repository: RepositoryRef) {
    this.#node = node
    this.#caller = caller
    this.repository = repository
  }

  async take(plan: Plan): Promise<void> {
    const call = this.#callOf(plan)
    const calledAt = this.#now++
    const answer = await this.#answer(call)
    this.history.push({ call, answer, calledAt, answeredAt: this.#now++ })
  }

  /** Whoever pushes has mostly fetched before, and says what it has seen. */
  #callOf(plan: Plan): Call {
    if (plan.does !== 'push') return plan
    const seen = this.#read()
    const known = (ref: string): number | undefined => (seen.is === 'refs' ? seen.refs[ref] : undefined)
    const wishes = plan.wishes.map(({ ref, from, to }) => ({ ref, from: from === 'known' ? known(ref) : from, to }))
    return { ...plan, wishes }
  }

  async #answer(call: Call): Promise<Answer> {
    await this.#node.step(call.does)
    switch (call.does) {
      case 'push':
        return this.#push(call)
      case 'maintain':
        return this.#maintain()
      case 'delete': {
        const { repositories } = this.#node.data
        const found = repositories.find(this.repository.owner, this.repository.name, this.#caller)
        if (found === undefined) return { is: 'gone' }
        return repositories.remove(found).then(
          () => ({ is: 'done' as const }),
          (error: { detail?: { code?: string } }) => {
            assert.equal(error.detail?.code, 'not_found')
            return { is: 'gone' as const }
          },
        )
      }
      default:
        return this.#read()
    }
  }

  #read(): Answer {
    try {
      const { refs } = this.#node.data.refs.snapshot(this.repository.id)
      return { is: 'refs', refs: Object.fromEntries(refs.map(({ name, oid }) => [name, numberOf(oid)])) }
    } catch (error) {
      assert.ok(error instanceof StorageError && error.detail.code === 'repository_missing')
      return { is: 'gone' }
    }
  }

  async #maintain(): Promise<Answer> {
    const before = this.#maintained
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#maintained = promise
    await before
    this.#nowMs += 30 * DAY_MS
    try {
      await this.#node.data.housekeeping.runs.prune(this.repository, { aim: 'all', nowMs: this.#nowMs })
      return { is: 'done' }
    } catch {
      return { is: 'failed' }
    } finally {
      resolve()
    }
  }

  async #push({ wishes, atomic, brings }: Call & { does: 'push' }): Promise<Answer> {
    const pieces: Buffer[] = []
    const lines = wishes.map(({ ref, from, to }, at) => {
      const capabilities = at === 0 ? `\0report-status${atomic ? ' atomic' : ''}` : ''
      return encodePktLine(`${oidOf(from)} ${oidOf(to)} ${ref}${capabilities}`)
    })
    const tips = wishes.flatMap(({ to }) => to ?? [])
    const objects = Array.from(broughtBy(tips, brings), (at) => COMMITS[at]?.objects ?? []).flat()
    const sent = tips.length === 0 ? [] : [pack(objects.map((one) => whole(one)))]
    await this.#node.data.transfer.push({
      repository: this.repository,
      service: 'git-receive-pack',
      version: '0',
      body: Buffer.concat([...lines, FLUSH, ...sent]),
      answer: {
        begun: false,
        begin() {},
        async write(...more) {
          pieces.push(...more)
        },
        writeIfIdle() {},
        async end(last) {
          if (last !== undefined) pieces.push(last)
        },
      },
      userId: this.#caller.userId,
      signal: new AbortController().signal,
    })
    return readReport(Buffer.concat(pieces))
  }

  /** What is left is whole, and the disk shows it as well; then it goes, as there are many of these. */
  async close(): Promise<void> {
    const { data } = this.#node
    const path = data.files.path(this.repository)
    if (!data.refs.isThere(this.repository.id)) return assert.ok(!existsSync(path))
    const { refs } = data.refs.snapshot(this.repository.id)
    const shown = await readProjection(path)
    assert.deepEqual(shown.refs, new Map(refs.map(({ name, oid }) => [name, oid])))
    const store = ObjectStore.open(path, 2 ** 20)
    try {
      walkClosure(
        store,
        refs.map(({ oid }) => oid),
      )
    } finally {
      store.close()
    }
    await this.take({ does: 'delete' })
    assert.ok(!existsSync(path))
  }
}

function readReport(bytes: Buffer): Answer {
  const [unpack = '', ...refs] = decodeWhole(bytes).flatMap((line) =>
    line.type === 'data' ? line.payload.toString() : [],
  )
  if (unpack.includes('deleted meanwhile')) return { is: 'gone' }
  const verdicts = refs.map((line): Verdict => {
    if (line.startsWith('ok ')) return 'ok'
    if (line.includes('what it builds on was taken away')) return 'stale'
    if (line.includes('unpacker error')) return 'unpackable'
    return line.includes('object is missing') ? 'missing' : 'refused'
  })
  // Refused for what is not here, and not since something broke.
  if (unpack !== 'unpack ok\n') assert.match(unpack, /missing|neither in it nor here/)
  return { is: 'report', verdicts }
}
