/**
 * A node's repository in this process, without sockets and threads: the handler of requests, the rules for refs, the
 * database, the files and the workers' tasks are the shipped ones. After each input it is what it was before.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GitService } from '../../src/git/protocol/advertisement.ts'
import { REQUEST_ERRORS, RequestError } from '../../src/errors.ts'
import type { Logger } from '../../src/observability/logging.ts'
import type { Metrics } from '../../src/observability/metrics.ts'
import { dataPaths, prepareDataDirectory } from '../../src/storage/data-directory.ts'
import { KeyedMutex } from '../../src/storage/keyed-mutex.ts'
import { unobserved } from '../../src/storage/observe.ts'
import { readProjection } from '../../src/storage/repositories/projection.ts'
import { signerOf } from '../../src/storage/repositories/ref-log.ts'
import { RefLog } from '../../src/storage/repositories/ref-log-store.ts'
import { RefStore } from '../../src/storage/repositories/ref-store.ts'
import { RepositoryFiles } from '../../src/storage/repositories/repository-files.ts'
import type { GitVersion, TransferLimits } from '../../src/transfer/git-request.ts'
import { Transfer } from '../../src/transfer/transfer.ts'
import { withinBudgetLater } from '../oracles/allocation-meter.ts'
import type { Refs } from '../oracles/pushed-refs.ts'
import { AnswerHere } from './answer-here.ts'
import { DatabaseHere } from './database-here.ts'
import { FileSystemHere } from './file-system-here.ts'
import { forgetWorkers, workersHere } from './workers-here.ts'

const REPOSITORY = { id: 'r', owner: 'alice', name: 'site' }
const LEASE = { holder: 'here', fence: 1 }
const GUARD = {
  sql: 'UPDATE node_lease SET fence = fence WHERE holder = ? AND fence = ?',
  parameters: [LEASE.holder, LEASE.fence],
  expectChanges: 1,
}
/** Small, so that the fuzzer comes to each of them. */
export const REQUEST_LIMITS: TransferLimits = {
  requestBytesMax: 16_384,
  // Longer than an input may take: what stands still is found by the limit that all targets have.
  progressTimeoutMs: 60_000,
  packObjectsMax: 64,
  objectBytesMax: 4_096,
  packInflatedBytesMax: 65_536,
  deltaDepthMax: 8,
  pushCommandsMax: 6,
  wantsMax: 6,
  havesMax: 6,
  advertisedRefsMax: 12,
}
/** Calls of the file-system port: six commands with their folders, and a pack, take fewer. */
const CALLS_MAX = 100
/** Four times what the greediest committed input asks for: the tables and buffers that a transfer begins with. */
const ALLOCATION_BYTES_MAX = 24 * 2 ** 20

export interface Asked {
  readonly service: GitService
  readonly version: GitVersion
  /** undefined: the listing is asked for */
  readonly body: Buffer | AsyncIterable<Buffer> | undefined
}

export interface Answered {
  /** undefined: nothing was sent */
  readonly bytes: Buffer | undefined
  /** One of the closed list. */
  readonly error: RequestError | undefined
}

export class RepositoryHere {
  readonly path: string
  readonly #root: string
  readonly #files: FileSystemHere
  readonly #database: DatabaseHere
  readonly #complaints: unknown[] = []
  readonly #repositoryFiles: RepositoryFiles
  readonly #refs: RefStore
  #transfer: Transfer
  /** It keeps what it answered fetches with. */
  #hasFetched = false

  static async make(): Promise<RepositoryHere> {
    const root = mkdtempSync(join(tmpdir(), 'guts-fuzz-'))
    const database = await DatabaseHere.open((await prepareDataDirectory(root)).database)
    const { holder, fence } = LEASE
    await database.write([
      {
        sql: 'INSERT INTO node_lease (id, holder, fence, renewed_at) VALUES (1, ?, ?, 1)',
        parameters: [holder, fence],
      },
      { sql: "INSERT INTO owners (id, name, kind, created_at) VALUES ('o', 'alice', 'user', 1)", parameters: [] },
      {
        sql: `INSERT INTO repositories (id, owner_id, name, description, private, head, created_at, updated_at)
          VALUES ('r', 'o', 'site', '', 0, 'refs/heads/main', 1, 1)`,
        parameters: [],
      },
    ])
    const made = new RepositoryHere(root, new FileSystemHere(), database)
    await made.#repositoryFiles.create(REPOSITORY, 'refs/heads/main')
    return made
  }

  private constructor(root: string, files: FileSystemHere, database: DatabaseHere) {
    this.#root = root
    this.#files = files
    this.#database = database
    const log = new RefLog(database, signerOf(Buffer.alloc(32, 1)))
    this.#refs = new RefStore(database, { guard: () => GUARD }, log)
    this.#repositoryFiles = new RepositoryFiles(dataPaths(root), files)
    this.#transfer = this.#begin()
    this.path = this.#repositoryFiles.path(REPOSITORY)
  }

  /** What each input finds. */
  keep(): void {
    this.#database.keep(REPOSITORY.id)
    this.#files.keep(dataPaths(this.#root).repositories)
  }

  /** As after a restart: nothing is known of what came before. */
  restore(): void {
    this.#repositoryFiles.packs.forget(REPOSITORY)
    forgetWorkers()
    if (this.#files.hasTouchedBeside(this.#quarantine)) this.#database.restore()
    this.#files.restore()
    this.#complaints.length = 0
    // To make one takes half a millisecond.
    if (this.#hasFetched) this.#transfer = this.#begin()
    this.#hasFetched = false
  }

  /** As the database has them. */
  get refs(): Refs {
    return new Map(this.#refs.snapshot(REPOSITORY.id).refs.map(({ name, oid }) => [name, oid]))
  }

  get head(): string {
    return this.#refs.snapshot(REPOSITORY.id).head
  }

  /**
   * Through the shipped handler.
   *
   * @throws AssertionError where it fails for a reason of its own, is greedy, or leaves something behind; whatever else
   *   it throws
   */
  async ask({ service, version, body }: Asked): Promise<Answered> {
    const answer = new AnswerHere()
    const { signal } = new AbortController()
    const request = { repository: REPOSITORY, service, version, answer, userId: null, signal }
    const before = this.#files.calls
    let error: RequestError | undefined
    this.#hasFetched ||= service === 'git-upload-pack'
    try {
      await withinBudgetLater(ALLOCATION_BYTES_MAX, () => {
        if (body === undefined) return this.#transfer.advertise(request)
        if (service === 'git-upload-pack') return this.#transfer.fetch({ ...request, body })
        return this.#transfer.push({ ...request, body })
      })
    } catch (thrown) {
      error = expectedError(thrown)
    }
    assert.deepEqual(this.#complaints, [], 'the node fails for a reason of its own')
    assert(this.#files.calls - before <= CALLS_MAX, 'a small request changes files again and again')
    assert.deepEqual(this.#files.open, [], 'a file stays open')
    if (error === undefined) {
      assert(answer.ended, 'the handler is through, and the answer has no end')
      return { bytes: answer.bytes, error }
    }
    // What a client sends that reads its answer late is not read for ever: it is told, and then cut off.
    const isCutOff = error.detail.code === 'payload_too_large'
    assert(!answer.begun || isCutOff, 'an answer begins, and ends in an error')
    return { bytes: answer.begun ? answer.bytes : undefined, error }
  }

  /** @throws AssertionError where refs on disk are not those of the database, or what comes with a push is left over */
  async checkRest(): Promise<void> {
    // What fetches were answered with may be asked for again.
    const left = readdirSync(this.#quarantine).filter((name) => !(this.#hasFetched && name.endsWith('.pack')))
    assert.deepEqual(left, [], 'something stays in quarantine')
    if (!this.#files.hasTouchedBeside(this.#quarantine)) return
    const { head, refs } = await readProjection(this.path)
    assert.deepEqual(new Map([...refs].sort()), new Map([...this.refs].sort()), 'refs on disk are not those that hold')
    assert.equal(head, this.head)
    const names = readdirSync(join(this.path, 'objects/pack')).sort()
    const packs = names.filter((name) => name.endsWith('.pack')).map((name) => name.slice(0, -'.pack'.length))
    assert.deepEqual(
      names,
      packs.flatMap((name) => [`${name}.idx`, `${name}.pack`]),
      'a pack comes alone, or is kept',
    )
    assert.deepEqual(
      readdirSync(this.path).filter((name) => name.endsWith('.lock')),
      [],
    )
  }

  get #quarantine(): string {
    return join(this.#root, 'quarantine')
  }

  #begin(): Transfer {
    const complain = (...said: unknown[]): void => void this.#complaints.push(said)
    return new Transfer({
      limits: REQUEST_LIMITS,
      paths: dataPaths(this.#root),
      fileSystem: this.#files,
      files: this.#repositoryFiles,
      refs: this.#refs,
      workers: workersHere,
      writeGate: { assertWritable() {} },
      locks: new KeyedMutex(),
      observe: unobserved,
      metrics: UNCOUNTED,
      logger: { warn: complain, error: complain } as unknown as Logger,
      defaultBranch: undefined,
      onRefsChanged() {},
      onPackCame() {},
      speaker: { agent: 'guts/fuzz', sessionId: 'one' },
    })
  }
}

/** Nobody reads them. */
const COUNTER = { inc() {}, dec() {}, set() {}, observe() {} }
const UNCOUNTED = new Proxy({}, { get: () => COUNTER }) as Metrics

/** @throws what is none */
function expectedError(thrown: unknown): RequestError {
  if (!(thrown instanceof RequestError)) throw thrown
  const { code } = thrown.detail
  assert(code in REQUEST_ERRORS && !['timeout', 'internal_error', 'unavailable'].includes(code), `failed: ${code}`)
  return thrown
}
