/** The recorded result of the last runs, from which the page is made. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/command-line.ts'
import { ROW_SOURCES } from './capabilities.ts'
import type { Cell } from './cell.ts'
import type { Client } from './client.ts'

export interface Column {
  readonly version: string
  /** Of the git that served the twin. */
  readonly twinVersion: string
  /** `digestOf` when it was run. */
  readonly digest: string
  /** By the names of the rows. */
  readonly cells: Readonly<Record<string, Cell>>
}

/** What the node itself answers to who speaks SHA-256 to it, by hand. */
export interface Sha256Answers {
  readonly fetch: string
  readonly push: string
}

export interface Matrix {
  readonly sha256: Sha256Answers
  /** By the names of the clients. */
  readonly columns: Readonly<Record<string, Column>>
}

export const PAGE = join(ROOT, 'docs/git-compatibility.md')
const RECORD = join(ROOT, 'docs/git-compatibility.json')

/** @returns undefined where nothing was recorded yet */
export function readMatrix(): Matrix | undefined {
  return existsSync(RECORD) ? (JSON.parse(readFileSync(RECORD, 'utf8')) as Matrix) : undefined
}

export function writeMatrix(matrix: Matrix): void {
  writeFileSync(RECORD, `${JSON.stringify(matrix, null, 2)}\n`)
}

/** Of the code that a column's outcomes depend on; another digest is another question, and has no answer yet. */
export function digestOf(client: Client): string {
  const hash = createHash('sha256')
  for (const file of [...ROW_SOURCES, ...client.sources]) hash.update(readFileSync(join(import.meta.dirname, file)))
  return hash.digest('hex').slice(0, 16)
}
