import { describe, expect, it } from 'vitest'
import { WrongUseError } from './errors.ts'
import { readOptions } from './options.ts'

const SPEC = {
  numbers: { seed: { otherwise: 7, min: 0, max: 99 } },
  durations: { time: { otherwiseMs: 60_000, minMs: 1_000 } },
  flags: ['regression'],
  texts: { report: undefined },
  names: { what: 'target', known: ['pkt-line', 'pack'] },
} as const

describe('readOptions', () => {
  it('takes what was given, and the rest as it is otherwise', () => {
    expect(readOptions([], SPEC)).toEqual({
      numbers: { seed: 7 },
      durationsMs: { time: 60_000 },
      flags: { regression: false },
      texts: { report: undefined },
      names: [],
    })
    const given = ['pack', '--time=2m', '--seed', '99', '--regression', '--report', 'x', 'pkt-line', 'pack']
    expect(readOptions(given, SPEC)).toEqual({
      numbers: { seed: 99 },
      durationsMs: { time: 120_000 },
      flags: { regression: true },
      texts: { report: 'x' },
      names: ['pack', 'pkt-line'],
    })
  })

  it.each([
    { args: ['pakc'], says: 'did you mean pack?' },
    { args: ['--sead', '1'], says: 'did you mean --seed?' },
    { args: ['--constructor'], says: 'There is no option --constructor' },
    { args: ['--toString=x'], says: 'There is no option --toString' },
    { args: ['--__proto__'], says: 'There is no option --__proto__' },
    { args: ['--seed'], says: '--seed needs a value' },
    { args: ['--seed', '100'], says: 'from 0 to 99' },
    { args: ['--seed', '-1'], says: 'from 0 to 99' },
    { args: ['--time', '0s'], says: 'a time like' },
    { args: ['--time', '1d'], says: 'a time like' },
    { args: ['--regression=yes'], says: 'takes no value' },
  ])('refuses $args', ({ args, says }) => {
    expect(() => readOptions(args, SPEC)).toThrow(WrongUseError)
    expect(() => readOptions(args, SPEC)).toThrow(says)
  })

  it('takes numbers below 0 where they are allowed', () => {
    const spec = { numbers: { seed: { otherwise: 0, min: -5, max: 5 } } }
    expect(readOptions(['--seed', '-5'], spec).numbers).toEqual({ seed: -5 })
    for (const text of ['-6', '-0', '--5', '-']) expect(() => readOptions([`--seed=${text}`], spec)).toThrow('from -5')
  })

  it('says so where nothing can be named', () => {
    expect(() => readOptions(['x'], {})).toThrow('options only')
  })
})
