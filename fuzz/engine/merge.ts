/** Keeps what earlier runs kept from growing without bound: of inputs that reach the same, one is enough. */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type JazzerRun, runJazzer } from './jazzer.ts'

export interface Merged {
  readonly before: number
  readonly after: number
}

/**
 * libFuzzer names an input by its bytes: what it chose of this folder has the same names there, and all others go.
 * Whatever interrupts this leaves an input too many, and none too few.
 * @param kept the folder; who adds to it meanwhile keeps what he adds
 * @returns undefined where the inputs could not be merged: all of them are there still
 * @throws the signal's reason
 */
export async function mergeInputs(
  kept: string,
  run: Omit<JazzerRun, 'corpusFolders' | 'work'>,
): Promise<Merged | undefined> {
  const before = readdirSync(kept)
  const chosenFolder = mkdtempSync(join(run.folder, 'chosen-'))
  const { end } = await runJazzer({ ...run, corpusFolders: [chosenFolder, kept], work: 'merge' })
  const chosen = new Set(readdirSync(chosenFolder))
  if (end !== 'nothing found' || chosen.size === 0) return undefined
  for (const name of chosen) {
    if (!existsSync(join(kept, name))) cpSync(join(chosenFolder, name), join(kept, name))
  }
  for (const name of before) if (!chosen.has(name)) rmSync(join(kept, name), { force: true })
  return { before: before.length, after: chosen.size }
}
