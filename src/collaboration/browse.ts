import type { ObserveStorage } from '../storage/observe.ts'
import { RequestError } from '../errors.ts'
import type { Bulkhead } from '../resilience/bulkhead.ts'
import { StorageError } from '../storage/error.ts'
import type { RefSnapshot, RefStore } from '../storage/repositories/ref-store.ts'
import type { RepositoryFiles } from '../storage/repositories/repository-files.ts'
import type { ListedCommit } from '../transfer/workers/browse-commits.ts'
import type { Contents } from '../transfer/workers/browse-contents.ts'
import { BROWSE_LIMITS } from '../transfer/workers/browse-limits.ts'
import type { BrowseRefusal, BrowseResult, BrowseTask } from '../transfer/workers/browse-task.ts'
import { offsetOf, type PageOf, type PageRequest } from './page.ts'
import type { FoundRepository } from './repository-catalog.ts'

export interface BrowseParts {
  readonly refs: Pick<RefStore, 'snapshot'>
  readonly files: Pick<RepositoryFiles, 'path'>
  readonly workers: { browse(task: BrowseTask, signal: AbortSignal): Promise<BrowseResult> }
  readonly slots: Pick<Bulkhead, 'run'>
  readonly observe: ObserveStorage
}

export interface Branch {
  /** Without `refs/heads/`. */
  readonly name: string
  readonly oid: string
  readonly isDefault: boolean
}

export interface CommitPage {
  readonly items: readonly ListedCommit[]
  readonly hasMore: boolean
}

const BRANCHES = 'refs/heads/'
const OID = /^[0-9a-f]{40}$/

/** Looking into repositories without git. The work itself is done in worker threads. */
export class Browse {
  readonly #parts: BrowseParts

  constructor(parts: BrowseParts) {
    this.#parts = parts
  }

  /** Sorted by name. @throws RequestError not_found */
  branches(repository: FoundRepository, page: PageRequest): PageOf<Branch> {
    const { refs, head } = this.#snapshot(repository)
    const all = refs.filter(({ name }) => name.startsWith(BRANCHES))
    const items = all
      .slice(offsetOf(page), offsetOf(page) + page.perPage)
      .map(({ name, oid }) => ({ name: name.slice(BRANCHES.length), oid, isDefault: name === head }))
    return { items, total: all.length }
  }

  /**
   * History from a ref, newest first; of an empty repository, none.
   *
   * @param look `ref` is a branch, a tag, a full name or an object id; without one HEAD. `path`, where given, is clean.
   * @throws RequestError not_found, validation_error (the ref names no commit, a limit is hit), unavailable
   */
  async commits(
    repository: FoundRepository,
    look: PageRequest & { readonly ref?: string | undefined; readonly path?: string | undefined },
    signal: AbortSignal,
  ): Promise<CommitPage> {
    const start = this.#resolve(repository, look.ref)
    if (start === undefined) return { items: [], hasMore: false }
    const repositoryPath = this.#parts.files.path(repository)
    const task = { kind: 'commits', start, path: look.path, skip: offsetOf(look), count: look.perPage } as const
    const result = await this.#run(repository, look.ref, { ...task, repositoryPath }, signal)
    if (result.kind !== 'commits') throw unexpected(result)
    return { items: result.commits, hasMore: result.hasMore }
  }

  /** A folder or a file; undefined for the root of an empty repository. @throws RequestError as `commits` */
  async contents(
    repository: FoundRepository,
    { ref, path }: { readonly ref?: string | undefined; readonly path: string },
    signal: AbortSignal,
  ): Promise<Contents | undefined> {
    const start = this.#resolve(repository, ref)
    if (start === undefined && path === '') return undefined
    if (start === undefined) throw toRequestError({ kind: 'refused', code: 'path_missing' })
    const repositoryPath = this.#parts.files.path(repository)
    const result = await this.#run(repository, ref, { kind: 'contents', repositoryPath, start, path }, signal)
    if (result.kind !== 'directory' && result.kind !== 'file') throw unexpected(result)
    return result
  }

  async #run(
    repository: FoundRepository,
    ref: string | undefined,
    task: BrowseTask,
    signal: AbortSignal,
  ): Promise<Exclude<BrowseResult, BrowseRefusal>> {
    const { slots, workers, observe } = this.#parts
    let result: BrowseResult
    try {
      result = await slots.run(repository.id, signal, () => observe('object_read', () => workers.browse(task, signal)))
    } catch (error) {
      // Deleted while the worker read, its objects went one after another: nothing is lost then.
      if (!(error instanceof RequestError)) this.#snapshot(repository)
      throw error
    }
    if (result.kind !== 'refused') return result
    if (result.code === 'object_missing' && !OID.test(ref ?? '')) {
      this.#snapshot(repository)
      // A client can only be wrong about an id of its own; what a ref of ours points to is here, or we have lost it.
      throw new StorageError({ code: 'object_missing', oid: task.start }, `Object ${task.start} is missing`)
    }
    throw toRequestError(result)
  }

  /** @returns undefined where HEAD was asked for and its branch does not exist yet */
  #resolve(repository: FoundRepository, ref: string | undefined): string | undefined {
    if (ref !== undefined && OID.test(ref)) return ref
    const { byName, head } = this.#snapshot(repository)
    if (ref === undefined || ref === 'HEAD') return byName.get(head)?.oid
    // The order of gitrevisions(7).
    const names = [ref, `refs/${ref}`, `refs/tags/${ref}`, `${BRANCHES}${ref}`]
    const found = names.map((name) => byName.get(name)).find((candidate) => candidate !== undefined)
    if (found === undefined) throw new RequestError({ code: 'not_found' }, 'Ref not found')
    return found.oid
  }

  #snapshot(repository: FoundRepository): RefSnapshot {
    try {
      return this.#parts.refs.snapshot(repository.id)
    } catch (error) {
      if (!(error instanceof StorageError) || error.detail.code !== 'repository_missing') throw error
      throw toRequestError({ kind: 'refused', code: 'repository_missing' })
    }
  }
}

const NOT_FOUND = {
  repository_missing: 'Repository not found',
  object_missing: 'Ref not found',
  path_missing: 'Path not found',
} as const

function toRequestError(refusal: BrowseRefusal): RequestError {
  switch (refusal.code) {
    case 'wrong_type':
      return refused('ref', 'invalid_value', 'Ref does not lead to a commit')
    case 'over_limit': {
      const { value, unit = '', description } = BROWSE_LIMITS[refusal.limit]
      const limit = unit === '' ? `${value}` : `${value} ${unit}`
      const message = `Over the limit ${refusal.limit} of ${limit}. ${description}`
      return refused(refusal.limit === 'commit_page_bytes' ? 'per_page' : 'path', 'too_large', message)
    }
    default:
      return new RequestError({ code: 'not_found' }, NOT_FOUND[refusal.code])
  }
}

function refused(field: string, code: string, message: string): RequestError {
  return new RequestError({ code: 'validation_error', problems: [{ field, code, message }] }, 'Validation failed')
}

function unexpected({ kind }: BrowseResult): Error {
  return new Error(`A worker answered with ${kind}`)
}
