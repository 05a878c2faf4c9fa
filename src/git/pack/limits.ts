import { PackError } from './error.ts'

/** Each is checked before what it bounds is spent (DESIGN §5, Budgets). */
export interface PackLimits {
  readonly objectsMax: number
  /** Inflated bytes of one object. */
  readonly objectBytesMax: number
  /** Inflated bytes of all entries and of all objects that deltas make. */
  readonly inflatedBytesMax: number
  readonly deltaDepthMax: number
}

/** Counts what was inflated against the limit for the whole pack. */
export class InflateBudget {
  readonly #limits: PackLimits
  #spent = 0

  constructor(limits: PackLimits) {
    this.#limits = limits
  }

  /** Called before the bytes are made. */
  spend(bytes: number): void {
    if (bytes > this.#limits.objectBytesMax) {
      throw new PackError(
        { code: 'object_over_limit', declaredBytes: bytes, limitBytes: this.#limits.objectBytesMax },
        `An object of ${bytes} bytes; the limit (max_object_size) is ${this.#limits.objectBytesMax} bytes`,
      )
    }
    this.#spent += bytes
    if (this.#spent > this.#limits.inflatedBytesMax) {
      throw new PackError(
        { code: 'pack_inflated_over_limit', limitBytes: this.#limits.inflatedBytesMax },
        `The pack inflates to more than the limit (max_inflated_size) of ${this.#limits.inflatedBytesMax} bytes`,
      )
    }
  }
}

/** @param packOffset of the delta */
export function deltaTooDeep({ deltaDepthMax }: PackLimits, packOffset: number): PackError {
  return new PackError(
    { code: 'delta_too_deep', limitDepth: deltaDepthMax, packOffset },
    `The delta at pack offset ${packOffset} is deeper than the limit (max_delta_depth) of ${deltaDepthMax}`,
  )
}
