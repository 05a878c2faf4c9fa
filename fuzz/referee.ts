/** C git's verdict on the inputs of a target, many at a time: too slow for each run, and worth more than any oracle. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { deflateSync } from 'node:zlib'
import { cleanEnvironment } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { checkObject } from '../src/git/fsck/check-object.ts'
import { gitFsck, oidOf } from '../src/git/fsck/testing.ts'
import { PackError } from '../src/git/pack/error.ts'
import type { Input } from './engine/corpus.ts'
import { OUTSIDE } from './grammar/packs.ts'
import { readPack } from './oracles/packs.ts'
import { objectOf } from './targets/object.fuzz.ts'
import { packOf } from './targets/pack.fuzz.ts'

export interface Disagreement {
  readonly input: Input
  readonly message: string
}

/** @returns the inputs that C git judges otherwise */
export type Referee = (inputs: readonly Input[]) => Disagreement[]

/** Limits are ours, and an object twice is refused by `--strict` only. */
const OURS = /_over_limit$|^delta_too_deep$|^object_duplicate$/

export const REFEREES: Readonly<Partial<Record<string, Referee>>> = { pack: judgePacks, object: judgeObjects }

/** Inputs that C git is given at a time, and while which nothing else is done here. */
const BATCH_INPUTS = 2_000

/**
 * Judges all inputs, in batches. What is found must be so of the input alone, too: git takes no id for a blob that another
 * object of the batch has as a tree.
 * @throws the signal's reason
 */
export async function judgeAll(
  name: string,
  inputs: readonly Input[],
  signal: AbortSignal,
  referees = REFEREES,
): Promise<Disagreement[]> {
  const referee = referees[name]
  const found: Disagreement[] = []
  if (referee === undefined) return found
  for (let at = 0; at < inputs.length; at += BATCH_INPUTS) {
    // Signals, and what other targets say, are read between two batches.
    await setImmediate()
    signal.throwIfAborted()
    found.push(...referee(inputs.slice(at, at + BATCH_INPUTS)).filter(({ input }) => referee([input]).length > 0))
  }
  return found
}

function judgePacks(inputs: readonly Input[]): Disagreement[] {
  const taken = gitIndexPack(inputs.map(({ bytes }) => packOf(bytes)))
  return inputs.flatMap((input, at) => {
    const refused = refusalOf(packOf(input.bytes))
    if ((refused === undefined) === taken[at] || (refused !== undefined && OURS.test(refused))) return []
    return [
      { input, message: `${refused ?? 'taken'} here, ${taken[at] === true ? 'taken' : 'refused'} by git index-pack` },
    ]
  })
}

function refusalOf(pack: Buffer): string | undefined {
  try {
    readPack(pack, OUTSIDE)
    return undefined
  } catch (error) {
    if (error instanceof PackError) return error.detail.code
    throw error
  }
}

/** @returns for each pack whether `git index-pack` takes it, in a repository that has the outside objects */
export function gitIndexPack(packs: readonly Buffer[]): boolean[] {
  if (packs.length === 0) return []
  using folder = temporaryFolder('referee')
  const options = { cwd: folder.path, env: cleanEnvironment(), encoding: 'utf8' } as const
  const { error } = spawnSync('git', ['init', '--quiet', '--bare', '.'], options)
  if (error !== undefined) throw error
  for (const [name, { data }] of OUTSIDE) {
    mkdirSync(join(folder.path, 'objects', name.slice(0, 2)))
    const loose = deflateSync(Buffer.concat([Buffer.from(`blob ${data.length}\0`), data]))
    writeFileSync(join(folder.path, 'objects', name.slice(0, 2), name.slice(2)), loose)
  }
  for (const [at, pack] of packs.entries()) writeFileSync(join(folder.path, `${at}.made`), pack)
  // Each in a repository as it was: an object that came with the pack before is looked for, and not always found.
  const take = 'git index-pack --stdin --fix-thin <$at.made >/dev/null 2>&1; echo $?; rm -f objects/pack/*'
  const script = `for at in $(seq 0 $1); do ${take}; done`
  const { stdout } = spawnSync('sh', ['-c', script, 'sh', `${packs.length - 1}`], options)
  const codes = stdout.trim().split('\n')
  if (codes.length !== packs.length) throw new Error(`git judged ${codes.length} of ${packs.length} packs`)
  return codes.map((code) => code === '0')
}

function judgeObjects(inputs: readonly Input[]): Disagreement[] {
  const objects = inputs.flatMap((input) => {
    const object = objectOf(input.bytes)
    return object === undefined ? [] : [{ input, object }]
  })
  const complaints = gitFsck(objects.map(({ object }) => object))
  return objects.flatMap(({ input, object }) => {
    const ours = checkObject(object.type, object.data)
    const theirs = Array.from(complaints.get(oidOf(object)) ?? []).filter((id) => !id.endsWith('Missing'))
    if ((ours === undefined) === (theirs.length === 0)) return []
    return [{ input, message: `${ours ?? 'taken'} here, ${theirs.join(' ') || 'taken'} by git fsck` }]
  })
}
