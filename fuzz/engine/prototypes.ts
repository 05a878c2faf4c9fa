/** The prototypes of what every program is made of, as Jazzer.js's detector watches them. */

const WATCHED: Readonly<Record<string, object>> = {
  Object: Object.prototype,
  Array: Array.prototype,
  String: String.prototype,
  Number: Number.prototype,
  Boolean: Boolean.prototype,
  Function: Function.prototype,
}

type Properties = ReadonlyMap<PropertyKey, PropertyDescriptor>

/** Knows them as they were when it was made. */
export class PrototypeWatch {
  readonly #before = Object.entries(WATCHED).map(([name, prototype]) => ({
    name,
    prototype,
    properties: propertiesOf(prototype),
  }))

  /** Puts back what was changed, so that the next input is not blamed for it. @returns the prototypes, by name */
  restore(): string[] {
    return this.#before.flatMap(({ name, prototype, properties }) => {
      const now = propertiesOf(prototype)
      const keys = [...new Set([...properties.keys(), ...now.keys()])]
      const changed = keys.filter((key) => !isSame(properties.get(key), now.get(key)))
      for (const key of changed) {
        const descriptor = properties.get(key)
        if (descriptor === undefined) Reflect.deleteProperty(prototype, key)
        else Reflect.defineProperty(prototype, key, descriptor)
      }
      return changed.length === 0 ? [] : [name]
    })
  }
}

function propertiesOf(prototype: object): Properties {
  return new Map(Reflect.ownKeys(prototype).map((key) => [key, Reflect.getOwnPropertyDescriptor(prototype, key) ?? {}]))
}

function isSame(a: PropertyDescriptor | undefined, b: PropertyDescriptor | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return Object.is(a.value, b.value) && a.get === b.get && a.set === b.set
}
