import { expect, it } from 'vitest'
import { whichAreHere } from './presence.ts'

const OIDS = Array.from({ length: 3_000 }, (_, at) => at.toString(16).padStart(40, '0'))

/** As the node keeps stores open: one of many is closed, and knows of nothing then. */
function closing(): { readonly open: () => { has: () => boolean }; opened: number } {
  let current = 0
  const closes = {
    opened: 0,
    open: () => {
      const number = ++current
      closes.opened = number
      return { has: () => number === current }
    },
  }
  setImmediate(() => current++)
  return closes
}

it('goes on with the repository as it is opened anew where it was closed meanwhile', async () => {
  const closes = closing()
  const { here, missing } = await whichAreHere(closes.open, OIDS)
  expect([here.size, missing]).toEqual([OIDS.length, []])
  expect(closes.opened).toBeGreaterThan(1)
})

it('opens nothing where nothing is looked for', async () => {
  const closes = closing()
  expect((await whichAreHere(closes.open, [])).missing).toEqual([])
  expect(closes.opened).toBe(0)
})
