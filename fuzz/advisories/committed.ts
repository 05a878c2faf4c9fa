import { type Input, readCorpus, readFindings, readSeeds } from '../engine/corpus.ts'
import { REACHING } from '../reach/reaching.ts'
import { advisoryInputs } from './replay.ts'

/**
 * All that a target is tried on before anything is looked for: its seeds, its findings, what reaches further than those, and
 * what was published of others.
 */
export function committedInputs(target: string): Input[] {
  const made = Object.entries(REACHING[target] ?? {}).map(([name, make]) => ({ name, bytes: make() }))
  return [...readSeeds(target), ...readFindings(target), ...readCorpus(target), ...made, ...advisoryInputs(target)]
}
