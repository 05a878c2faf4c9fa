/** The columns of the matrix, in the order of the page. To add one, add it here. */
import { cGit } from './c-git.ts'
import type { Client } from './client.ts'
import { dulwich } from './dulwich.ts'
import { goGit } from './go-git.ts'
import { isomorphicGit } from './isomorphic-git.ts'
import { jgit } from './jgit.ts'

/** What npm packages and git bring along: no other tool is needed. */
export const CLIENTS_AT_HAND: readonly Client[] = [cGit, isomorphicGit]

export const CLIENTS: readonly Client[] = [...CLIENTS_AT_HAND, dulwich, goGit, jgit]
