/** Published defects as inputs of fuzz targets, and whether each ends as its list says. */
import type { Input } from '../engine/corpus.ts'
import type { Advisory, Rebuilt } from './advisory.ts'
import { ADVISORIES } from './list.ts'
import { outcomeOf, type Reader, type ReaderName, READERS } from './readers.ts'

/** What a target is given of them, made anew each time. */
export function advisoryInputs(target: string): Input[] {
  return rebuilt(ADVISORIES).flatMap(({ name, reader, make }) => {
    const wrap = targetsOf(reader)[target]
    return wrap === undefined ? [] : [{ name, bytes: wrap(make()) }]
  })
}

/** @param target only those that are replayed in it; undefined: all. @returns a sentence for each that ends otherwise */
export function wrongOutcomes(target?: string, advisories = ADVISORIES): string[] {
  return rebuilt(advisories).flatMap(({ name, reader, make, outcome }) => {
    if (target !== undefined && targetsOf(reader)[target] === undefined) return []
    const found = outcomeAt(reader, make())
    return found === outcome ? [] : [`${name}: ${found}, and must be: ${outcome}`]
  })
}

export function targetsOf(reader: ReaderName): Reader['targets'] {
  return READERS[reader].targets
}

function rebuilt(advisories: readonly Advisory[]): ({ readonly name: string } & Rebuilt)[] {
  return advisories.flatMap(({ name, inputs }) =>
    Object.entries(inputs).map(([what, input]) => ({ ...input, name: `${name}: ${what}` })),
  )
}

function outcomeAt(reader: ReaderName, bytes: Buffer): string {
  try {
    return outcomeOf(reader, bytes)
  } catch (error) {
    return `failed with ${String(error)}`
  }
}
