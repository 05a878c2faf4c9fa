/** What a fuzz target says of itself, beside the function that is fuzzed. */
import type { GitMaterial } from './seeds/material.ts'

/** Name → input. */
export type Seeds = Readonly<Record<string, Buffer>>

/** A defect that the code may well have, and that this target must find: proof that fuzzing here finds things. */
export interface PlantedDefect {
  readonly why: string
  /** Relative to the repository's root. */
  readonly file: string
  /** What is there once… */
  readonly from: string
  /** …and what stands there instead. */
  readonly to: string
}

/** A file `targets/NAME.fuzz.ts` exports one as `target`, and `fuzz(data: Buffer): void | Promise<void>`. */
export interface FuzzTarget {
  readonly reads: string
  /** Shipped module → functions of it that the seeds must enter, each by its name in the module. */
  readonly drives: Readonly<Record<string, readonly string[]>>
  /** Bytes of the longest input that is tried. */
  readonly inputBytesMax: number
  /** What the fuzzer would hardly come upon: it sees compared literals, but no lengths, magic numbers or grammar. */
  readonly words: readonly string[]
  /** Whether a peer's keys become properties, so that prototypes have to be watched. */
  readonly makesObjects: boolean
  /** `fuzz` answers with a promise: between two inputs the event loop turns, and libFuzzer waits in a thread of its own. */
  readonly isAsync?: true
  /** Executions in a second that it is meant to reach here; said in the report, no reason to fail. */
  readonly goalPerS: number
  /** By name. */
  readonly planted: Readonly<Record<string, PlantedDefect>>
  /** For `seeds-command.ts`. */
  seeds(git: GitMaterial): Seeds
}
