/** Seeds that are written by hand. */
import type { Seeds } from '../target.ts'

/** Each character is a byte. */
export function textSeeds(texts: Readonly<Record<string, string>>): Seeds {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, 'latin1')]))
}

/** @param mode the first byte of each, as its target reads it */
export function hexSeeds(mode: string, inputs: Readonly<Record<string, string>>): Seeds {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, hex]) => [name, Buffer.concat([Buffer.from(mode), Buffer.from(hex, 'hex')])]),
  )
}
