import { existsSync } from 'node:fs'
import { hasErrorCode } from '../../errors.ts'
import { browseCommits, type ListedCommit } from './browse-commits.ts'
import { browseContents, type Contents } from './browse-contents.ts'
import type { BROWSE_LIMITS } from './browse-limits.ts'
import { openStore } from './open-stores.ts'

/** What people look at without git: history, folders, files. Everything here survives structured cloning. */

export interface CommitsTask {
  readonly kind: 'commits'
  readonly repositoryPath: string
  /** A commit, or a tag of one: 40 hex digits. */
  readonly start: string
  /** Only commits that changed what lies here; no empty segment, `.` or `..`. */
  readonly path: string | undefined
  readonly skip: number
  readonly count: number
}

export interface ContentsTask {
  readonly kind: 'contents'
  readonly repositoryPath: string
  /** A commit, a tree, or a tag of one: 40 hex digits. */
  readonly start: string
  /** Empty for the root; no empty segment, `.` or `..`. */
  readonly path: string
}

export type BrowseTask = CommitsTask | ContentsTask

export type BrowseRefusal =
  | { readonly kind: 'refused'; readonly code: 'repository_missing' | 'object_missing' | 'path_missing' }
  /** What `start` names in the end is of another type. */
  | { readonly kind: 'refused'; readonly code: 'wrong_type' }
  | { readonly kind: 'refused'; readonly code: 'over_limit'; readonly limit: keyof typeof BROWSE_LIMITS }

export type BrowseResult =
  | { readonly kind: 'commits'; readonly commits: readonly ListedCommit[]; readonly hasMore: boolean }
  | Contents
  | BrowseRefusal

export function runBrowse(task: BrowseTask): BrowseResult {
  try {
    const store = openStore(task.repositoryPath)
    return task.kind === 'commits' ? browseCommits(store, task) : browseContents(store, task)
  } catch (error) {
    // Deleted since it was found.
    if (hasErrorCode(error, 'ENOENT') && !existsSync(task.repositoryPath))
      return { kind: 'refused', code: 'repository_missing' }
    throw error
  }
}
