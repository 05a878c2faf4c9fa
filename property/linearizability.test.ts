import { describe, expect, it } from 'vitest'
import { linearize, type Recorded, type Sequential } from './linearizability.ts'

/** A ref that changes by compare-and-swap, in the shortest form. */
type Call = 'read' | readonly [from: number, to: number]
type Answer = number | boolean
const REF: Sequential<number, Call, Answer> = {
  initial: 0,
  step(value, call, answer) {
    if (call === 'read') return answer === undefined || answer === value ? value : undefined
    const isRight = call[0] === value
    if (answer !== undefined && answer !== isRight) return undefined
    return isRight ? call[1] : value
  },
  keyOf: String,
}

/** @param lines `|--|` for each call: when it began, and when it had its answer; `|--` if it never had one */
function history(
  ...lines: readonly (readonly [when: string, call: Call, answer?: Answer])[]
): Recorded<Call, Answer>[] {
  return lines.map(([when, call, answer]) => ({
    call,
    answer,
    calledAt: when.indexOf('|'),
    answeredAt: answer === undefined ? Infinity : when.lastIndexOf('|'),
  }))
}

describe('a history', () => {
  it.each([
    ['of nothing', history()],
    ['of one after the other', history(['|-|', [0, 1], true], ['    |-|', 'read', 1])],
    ['in which a read overlaps a change, and sees it', history(['|----|', [0, 1], true], [' |-|', 'read', 1])],
    ['in which a read overlaps a change, and does not see it', history(['|----|', [0, 1], true], [' |-|', 'read', 0])],
    [
      'of two who want the same, of whom one is refused',
      history(['|---|', [0, 1], true], ['  |---|', [0, 2], false], ['       |-|', 'read', 1]),
    ],
    [
      'in which the second to ask was the first to be served',
      history(['|------|', [1, 2], true], [' |-|', [0, 1], true], ['         |-|', 'read', 2]),
    ],
    ['in which what was never answered has happened', history(['|--', [0, 1]], ['    |-|', 'read', 1])],
    ['in which what was never answered has not happened', history(['|--', [0, 1]], ['    |-|', 'read', 0])],
    [
      'in which what was never answered happens late',
      history(['|--', [0, 1]], ['    |-|', 'read', 0], ['        |-|', 'read', 1]),
    ],
  ])('%s is linearizable', (_, calls) => {
    const order = linearize(calls, REF)
    expect(order).toBeDefined()
    expect(calls).toEqual(expect.arrayContaining([...(order ?? [])]))
  })

  it.each([
    ['in which a read sees what was there before a change', history(['|-|', [0, 1], true], ['    |-|', 'read', 0])],
    ['in which a read sees what nobody wrote', history(['|----|', [0, 1], true], [' |-|', 'read', 7])],
    ['in which both of two who want the same have it', history(['|---|', [0, 1], true], ['  |---|', [0, 2], true])],
    ['in which somebody is refused for no reason', history(['|-|', [0, 1], false])],
    [
      'in which one sees a change, and another one after that does not',
      history(['|---------|', [0, 1], true], [' |-|', 'read', 1], ['     |-|', 'read', 0]),
    ],
    [
      'in which two see two changes in two orders',
      history(
        ['|-----------|', [0, 1], true],
        ['|-----------|', [1, 0], true],
        ['|-----------|', [0, 2], true],
        [' |-|', 'read', 2],
        ['     |-|', 'read', 1],
      ),
    ],
    [
      'in which what was never answered happens twice',
      history(['|--', [0, 1]], ['    |-|', 'read', 1], ['        |-|', [1, 0], true], ['            |-|', 'read', 1]),
    ],
  ])('%s is not', (_, calls) => {
    expect(linearize(calls, REF)).toBeUndefined()
  })
})
