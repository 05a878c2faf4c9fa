import { setImmediate as tick } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { KeyedMutex } from './keyed-mutex.ts'

function gated() {
  const events: string[] = []
  const gates = new Map<string, PromiseWithResolvers<void>>()
  return {
    events,
    open: (name: string): void => gates.get(name)?.resolve(),
    fail: (name: string): void => gates.get(name)?.reject(new Error(`${name} failed`)),
    work: (name: string) => async (): Promise<string> => {
      events.push(`${name} begins`)
      const gate = Promise.withResolvers<void>()
      gates.set(name, gate)
      await gate.promise
      events.push(`${name} ends`)
      return name
    },
  }
}

it('runs one at a time for a key, in the order of asking, and other keys beside it', async () => {
  const mutex = new KeyedMutex()
  const { events, open, work } = gated()
  const all = [
    mutex.run('a', work('a1')),
    mutex.run('a', work('a2')),
    mutex.run('b', work('b1')),
    mutex.run('a', work('a3')),
  ]
  await tick()
  expect(events).toEqual(['a1 begins', 'b1 begins'])
  for (const name of ['a1', 'b1', 'a2', 'a3']) {
    open(name)
    await tick()
  }
  expect(events).toEqual([
    'a1 begins',
    'b1 begins',
    'a1 ends',
    'a2 begins',
    'b1 ends',
    'a2 ends',
    'a3 begins',
    'a3 ends',
  ])
  expect(await Promise.all(all)).toEqual(['a1', 'a2', 'b1', 'a3'])
})

it('goes on after work that failed, which only its own caller hears of', async () => {
  const mutex = new KeyedMutex()
  const { open, fail, work } = gated()
  const first = mutex.run('a', work('a1'))
  const second = mutex.run('a', work('a2'))
  const outcome = expect(first).rejects.toThrow('a1 failed')
  fail('a1')
  await outcome
  await tick()
  open('a2')
  expect(await second).toBe('a2')
  const thrown = mutex.run('a', () => {
    throw new Error('at once')
  })
  await expect(thrown).rejects.toThrow('at once')
  expect(await mutex.run('a', async () => 'after')).toBe('after')
})
