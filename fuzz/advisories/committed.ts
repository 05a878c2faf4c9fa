import { type Input, readFindings, readSeeds } from '../engine/corpus.ts'
import { advisoryInputs } from './replay.ts'

/** All that a target is tried on before anything is looked for: its seeds, its findings, and what was published of others. */
export function committedInputs(target: string): Input[] {
  return [...readSeeds(target), ...readFindings(target), ...advisoryInputs(target)]
}
