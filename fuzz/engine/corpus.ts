/** Inputs: seeds and findings that are committed, and what the fuzzer found worth keeping on this machine. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reportFolder } from '../../harness/suite.ts'
import { ROOT } from '../../integration/support/command-line.ts'
import { GutsError, hasErrorCode } from '../../src/errors.ts'

export interface Input {
  readonly name: string
  readonly bytes: Buffer
}

/** What is committed as inputs is none, or what was found cannot be saved. */
export class CorpusError extends GutsError<{
  readonly code: 'inputs_missing' | 'inputs_unreadable' | 'finding_unsaved'
}> {}

export function seedsPath(target: string, root = ROOT): string {
  return join(root, seedsFile(target))
}

const seedsFile = (target: string): string => `fuzz/seeds/${target}.json`

/** Made by `fuzz/seeds-command.ts`. @throws CorpusError */
export function readSeeds(target: string, root = ROOT): Input[] {
  if (existsSync(seedsPath(target, root))) return readNamed(root, seedsFile(target))
  const message = `${seedsFile(target)} is missing; node fuzz/seeds-command.ts ${target} makes it`
  throw new CorpusError({ code: 'inputs_missing' }, message)
}

export function corpusPath(target: string, root = ROOT): string {
  return join(root, corpusFile(target))
}

const corpusFile = (target: string): string => `fuzz/corpus/${target}.json`

/** Of what the fuzzer found, what reaches further than the seeds; chosen by `fuzz/corpus-command.ts`. @throws CorpusError */
export function readCorpus(target: string, root = ROOT): Input[] {
  return existsSync(corpusPath(target, root)) ? readNamed(root, corpusFile(target)) : []
}

/** @param file with names and the bytes in base64, relative to the root. @throws CorpusError */
function readNamed(root: string, file: string): Input[] {
  const inputs = parse(readFileSync(join(root, file), 'utf8'), file)
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)) {
    throw unreadable(`${file} holds no inputs by name`)
  }
  return Object.entries(inputs).map(([name, base64]) => {
    const bytes = Buffer.from(String(base64), 'base64')
    // Node leaves out what is no base64, and the rest would be another input.
    if (bytes.toString('base64') !== base64) throw unreadable(`${file}: ${name} is no base64`)
    return { name, bytes }
  })
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unreadable(`${file} cannot be read: ${String(error)}`, error)
  }
}

function unreadable(message: string, cause?: unknown): CorpusError {
  return new CorpusError({ code: 'inputs_unreadable' }, message, { cause })
}

function findingsFolder(target: string): string {
  return `fuzz/findings/${target}`
}

/** Inputs that failed once. @throws CorpusError */
export function readFindings(target: string, root = ROOT): Input[] {
  const folder = findingsFolder(target)
  if (!existsSync(join(root, folder))) return []
  const names = readdirSync(join(root, folder)).sort()
  return names.map((name) => {
    const bytes = readIfFile(join(root, folder, name))
    if (bytes === undefined) throw unreadable(`${folder}/${name} is no file`)
    return { name: `${folder}/${name}`, bytes }
  })
}

export interface SavedFinding {
  /** Relative to the repository's root. */
  readonly file: string
  /** No earlier run has saved it, and nobody has committed it. */
  readonly isNew: boolean
}

/** @throws CorpusError with the bytes, of which there are at most as many as the target's inputs may have */
export function saveFinding(target: string, bytes: Buffer, root = ROOT): SavedFinding {
  const folder = findingsFolder(target)
  const file = `${folder}/${nameOf(bytes)}`
  const isNew = !existsSync(join(root, file))
  try {
    mkdirSync(join(root, folder), { recursive: true })
    if (isNew) writeWhole(join(root, file), bytes)
  } catch (cause) {
    const message = `${file} cannot be written (${String(cause)}); in base64 it is ${bytes.toString('base64')}`
    throw new CorpusError({ code: 'finding_unsaved' }, message, { cause })
  }
  return { file, isNew }
}

/** What a full disk cuts off would be taken for the finding that its name says. */
function writeWhole(path: string, bytes: Buffer): void {
  try {
    writeFileSync(path, bytes)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  }
}

/**
 * At every moment one of the two is there. One that was there before stays: it shows another defect, or this one where it
 * was mended once. @returns the file, as above
 */
export function replaceFinding(target: string, before: SavedFinding, after: Buffer, root = ROOT): string {
  const { file } = saveFinding(target, after, root)
  if (before.isNew && file !== before.file) rmSync(join(root, before.file))
  return file
}

/** The same bytes have the same name. */
export function nameOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
}

/** What earlier runs here found worth keeping; a run begins with it, and adds to it. */
export function keptFolder(target: string): string {
  const folder = join(reportFolder('fuzz'), 'corpus', target)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Its files; another run that merges them may take some away meanwhile. */
export function readFolder(folder: string): Input[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const bytes = readIfFile(join(folder, name))
      return bytes === undefined ? [] : [{ name, bytes }]
    })
}

/** @returns undefined: there is none, or it is a folder */
function readIfFile(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'EISDIR')) return undefined
    throw error
  }
}
