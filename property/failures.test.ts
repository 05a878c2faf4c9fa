import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addKept, keptSeedOf, propertyName } from './failures.ts'
import { KEPT_SEEDS } from './prop.ts'

const texts = globSync('*.property.ts', { cwd: import.meta.dirname }).map((file) =>
  readFileSync(join(import.meta.dirname, file), 'utf8'),
)

const FAILURE = `Error: Property failed after 13 tests
{ seed: -351169670, path: "12:3:0", endOnFailure: true }
Counterexample: [[]]`

describe('a property that failed', () => {
  it.each(['it holds', 'it holds (with seed=5)', 'it holds (with seed=-3.5)', 'kept: it holds (with seed=5)'])(
    'is known by its name: %s',
    (title) => {
      expect(propertyName(title)).toBe('it holds')
    },
  )

  it('is come back to by its seed and the value that began it', () => {
    expect(keptSeedOf(FAILURE)).toEqual({ seed: -351_169_670, path: '12' })
    expect(keptSeedOf('Error: Test timed out in 30000ms.')).toBeUndefined()
  })

  it('is kept once, beside what was kept before', () => {
    const one = { seed: 1, path: '2' }
    const kept = addKept({ other: [one] }, 'it holds', one)
    expect(kept).toEqual({ other: [one], 'it holds': [one] })
    expect(addKept(kept, 'it holds', { ...one })).toEqual(kept)
    expect(addKept(kept, 'it holds', { seed: 1, path: '3' })['it holds']).toHaveLength(2)
  })

  it.each(Object.keys(KEPT_SEEDS))('is still there by the name under which it was kept: %s', (name) => {
    expect(texts.filter((text) => text.includes(`'${name}',`))).toHaveLength(1)
  })
})
