/** Histories as `git fast-import` streams: of any size, and the same for the same seed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Random } from './random.ts'

export interface HistoryOptions {
  readonly seed: number
  readonly commits: number
  /** Files that each commit writes. */
  readonly filesPerCommit: number
  /** Bytes of text in each version of a file. */
  readonly fileBytes: number
  /** Of so many commits one is a merge, and one has an annotated tag. */
  readonly mergeEvery: number
  readonly tagEvery: number
  /** Paths to choose from: so many folders, as many in each, so many files in each of those. */
  readonly paths?: { readonly folders: number; readonly files: number }
}

const FIRST_COMMIT_S = 1_500_000_000
const PATHS = { folders: 12, files: 40 }
/** Versions of a file share most of their lines, so that there are deltas to find. */
const LINES_KEPT = 0.8

/** Fills the repository at `gitDirectory` with a history on `refs/heads/main` and a side branch. */
export async function importHistory(gitDirectory: string, options: HistoryOptions): Promise<void> {
  await fastImport(gitDirectory, historyStream(options))
}

/**
 * Commits in one line on `refs/heads/line`, all of the same tree.
 *
 * @param after so many commits of that line, which are there
 */
export async function importLine(gitDirectory: string, commits: number, after = 0): Promise<void> {
  await fastImport(gitDirectory, lineStream(commits, after))
}

function* lineStream(commits: number, after: number): Generator<string> {
  for (let mark = after + 1; mark <= after + commits; mark++) {
    const from = mark > after + 1 ? `from :${mark - 1}\n` : after > 0 ? 'from refs/heads/line^0\n' : ''
    const file = mark === 1 ? 'M 100644 inline file\ndata 2\na\n' : ''
    yield `commit refs/heads/line\nmark :${mark}\ncommitter ${identity(mark)}\ndata 2\nx\n${from}${file}\n`
  }
  yield 'done\n'
}

/** @param pieces of a stream as `git fast-import` reads it */
export async function fastImport(gitDirectory: string, pieces: Iterable<string | Uint8Array>): Promise<void> {
  const git = spawn('git', ['-C', gitDirectory, 'fast-import', '--quiet', '--force'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const exited = once(git, 'exit')
  for (const piece of pieces) {
    if (!git.stdin.write(piece)) await once(git.stdin, 'drain')
  }
  git.stdin.end()
  const [code] = (await exited) as [number | null]
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`)
}

function* historyStream(options: HistoryOptions): Generator<string> {
  const random = new Random(options.seed)
  const files = new Map<string, string[]>()
  const marks = { main: 0, side: 0 }
  for (let mark = 1; mark <= options.commits; mark++) {
    // The side branch begins at the first commit of main, and both grow for ever.
    const branch = mark > 1 && random.chance(0.3) ? 'side' : 'main'
    const parent = marks[branch] === 0 ? marks.main : marks[branch]
    const isMerge = branch === 'main' && marks.side > 0 && mark % options.mergeEvery === 0
    marks[branch] = mark
    yield commitHeader(branch, mark, random)
    if (parent > 0) yield `from :${parent}\n`
    if (isMerge) yield `merge :${marks.side}\n`
    for (let i = 0; i < options.filesPerCommit; i++) yield changeFile(files, options, random)
    yield '\n'
    if (mark % options.tagEvery === 0) {
      const message = `release ${mark}`
      yield `tag v${mark}\nfrom :${mark}\ntagger ${identity(mark)}\ndata ${message.length}\n${message}\n`
    }
  }
  yield 'done\n'
}

function commitHeader(branch: string, mark: number, random: Random): string {
  const message = `change ${mark}: ${random.text(30)}\n`
  const who = identity(mark)
  return `commit refs/heads/${branch}\nmark :${mark}\nauthor ${who}\ncommitter ${who}\ndata ${message.length}\n${message}`
}

function identity(mark: number): string {
  return `Person ${mark % 7} <person${mark % 7}@example.org> ${FIRST_COMMIT_S + mark * 60} +0100`
}

function changeFile(
  written: Map<string, string[]>,
  { fileBytes, paths = PATHS }: HistoryOptions,
  random: Random,
): string {
  const { folders, files } = paths
  const path = `folder${random.below(folders)}/part${random.below(folders)}/file${random.below(files)}.txt`
  const lineBytes = 60
  const before = written.get(path) ?? []
  const lines = Array.from({ length: Math.max(1, Math.round(fileBytes / lineBytes)) }, (_, at) => {
    const kept = before[at]
    return kept !== undefined && random.chance(LINES_KEPT) ? kept : random.text(lineBytes - 1)
  })
  written.set(path, lines)
  const content = `${lines.join('\n')}\n`
  return `M 100644 inline ${path}\ndata ${content.length}\n${content}\n`
}
