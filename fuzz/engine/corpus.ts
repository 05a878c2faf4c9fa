/** Inputs: seeds and findings that are committed, and what the fuzzer found worth keeping on this machine. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reportFolder } from '../../harness/suite.ts'
import { ROOT } from '../../integration/support/command-line.ts'

export interface Input {
  readonly name: string
  readonly bytes: Buffer
}

export function seedsPath(target: string): string {
  return join(ROOT, 'fuzz/seeds', `${target}.json`)
}

/** Made by `fuzz/seeds-command.ts`. */
export function readSeeds(target: string): Input[] {
  return readNamed(seedsPath(target))
}

export function corpusPath(target: string): string {
  return join(ROOT, 'fuzz/corpus', `${target}.json`)
}

/** Of what the fuzzer found, what reaches further than the seeds; chosen by `fuzz/corpus-command.ts`. */
export function readCorpus(target: string): Input[] {
  return existsSync(corpusPath(target)) ? readNamed(corpusPath(target)) : []
}

/** @param path of a file with names and the bytes in base64 */
function readNamed(path: string): Input[] {
  const inputs = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
  return Object.entries(inputs).map(([name, base64]) => ({ name, bytes: Buffer.from(base64, 'base64') }))
}

export function findingsFolder(target: string): string {
  return join(ROOT, 'fuzz/findings', target)
}

/** Inputs that failed once. */
export function readFindings(target: string): Input[] {
  const folder = findingsFolder(target)
  if (!existsSync(folder)) return []
  return readFolder(folder).map(({ name, bytes }) => ({ name: `fuzz/findings/${target}/${name}`, bytes }))
}

/** @returns the file, relative to the repository's root */
export function saveFinding(target: string, bytes: Buffer): string {
  const name = nameOf(bytes)
  mkdirSync(findingsFolder(target), { recursive: true })
  writeFileSync(join(findingsFolder(target), name), bytes)
  return `fuzz/findings/${target}/${name}`
}

/** Instead of one that was saved before; at every moment one of the two is there. @returns the file, as above */
export function replaceFinding(target: string, before: Buffer, after: Buffer): string {
  const file = saveFinding(target, after)
  if (!after.equals(before)) rmSync(join(findingsFolder(target), nameOf(before)))
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

export function readFolder(folder: string): Input[] {
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }))
}
