import { type Commit, type CommitLinks, parseCommit, parseWholeCommit } from '../../git/object/commit.ts'
import { OBJECT_TYPE } from '../../git/object/type.ts'
import { CommitQueue } from '../../git/object-graph/commit-queue.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import { BROWSE_LIMITS } from './browse-limits.ts'
import { overLimit, peel, readBounded, Refused } from './browse-objects.ts'
import { PathFinder } from './browse-path.ts'
import type { BrowseResult, CommitsTask } from './browse-task.ts'

export interface ListedCommit extends Commit {
  readonly oid: string
}

interface QueuedCommit extends CommitLinks {
  readonly oid: string
}

/** One page of a history, newest first, as `git log START -- PATH` lists it. */
export function browseCommits(store: ObjectStore, task: CommitsTask): BrowseResult {
  try {
    const { oid, type } = peel(store, task.start)
    if (type !== OBJECT_TYPE.commit) throw new Refused({ kind: 'refused', code: 'wrong_type' })
    const oids: string[] = []
    let skipped = 0
    for (const found of new HistoryWalk(store, task.path).from(oid.toString('hex'))) {
      if (skipped++ < task.skip) continue
      if (oids.length === task.count) return { kind: 'commits', commits: readAll(store, oids), hasMore: true }
      oids.push(found)
    }
    return { kind: 'commits', commits: readAll(store, oids), hasMore: false }
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}

class HistoryWalk {
  readonly #store: ObjectStore
  readonly #finder: PathFinder | undefined
  readonly #queue = new CommitQueue<QueuedCommit>()
  readonly #seen = new Set<string>()

  constructor(store: ObjectStore, path: string | undefined) {
    this.#store = store
    this.#finder = path === undefined ? undefined : new PathFinder(store, path)
  }

  *from(start: string): Generator<string, void> {
    this.#enqueue(start)
    for (let commit = this.#queue.pop(); commit !== undefined; commit = this.#queue.pop()) {
      const unchangedFrom = this.#finder === undefined ? undefined : this.#parentWithSamePath(commit)
      // As git simplifies history: where one parent explains the path, the others have nothing to add.
      for (const parent of unchangedFrom === undefined ? commit.parents : unchangedFrom) this.#enqueue(parent)
      if (unchangedFrom === undefined) yield commit.oid
    }
  }

  /** @returns undefined if the commit changed the path, else the parents to go on with */
  #parentWithSamePath(commit: QueuedCommit): readonly string[] | undefined {
    const own = this.#entryOf(commit)
    const same = commit.parents.find((parent) => this.#entryOf(this.#read(parent)) === own)
    if (same !== undefined) return [same]
    return commit.parents.length === 0 && own === '' ? [] : undefined
  }

  /** What lies at the path, as a text to compare. */
  #entryOf(commit: QueuedCommit): string {
    const entry = this.#finder?.find(Buffer.from(commit.tree, 'hex'))
    return entry === undefined ? '' : `${entry.mode} ${entry.oid.toString('latin1')}`
  }

  #enqueue(oid: string): void {
    if (this.#seen.has(oid)) return
    if (this.#seen.size >= BROWSE_LIMITS.commits_walked.value) throw overLimit('commits_walked')
    this.#seen.add(oid)
    this.#queue.push(this.#read(oid))
  }

  #read(oid: string): QueuedCommit {
    return { ...parseCommit(readBounded(this.#store, Buffer.from(oid, 'hex'), 'commit_bytes').data), oid }
  }
}

function readAll(store: ObjectStore, oids: readonly string[]): ListedCommit[] {
  let bytes = 0
  return oids.map((oid) => {
    const { data } = readBounded(store, Buffer.from(oid, 'hex'), 'commit_bytes')
    bytes += data.length
    if (bytes > BROWSE_LIMITS.commit_page_bytes.value) throw overLimit('commit_page_bytes')
    return { ...parseWholeCommit(data), oid }
  })
}
