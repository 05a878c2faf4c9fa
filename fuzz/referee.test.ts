import { expect, it } from 'vitest'
import type { Input } from './engine/corpus.ts'
import { judgeAll } from './referee.ts'

const INPUTS = Array.from({ length: 5_001 }, (_, at) => ({ name: `${at}`, bytes: Buffer.from(`${at}`) }))

it('judges every input once, not all at a time', async () => {
  const batches: number[] = []
  const last = (inputs: readonly Input[]) => {
    if (inputs.length > 1) batches.push(inputs.length)
    return inputs.flatMap((input) => (input.name === '5000' ? [{ input, message: 'refused by git' }] : []))
  }
  const { signal } = new AbortController()
  expect(await judgeAll('pack', INPUTS, signal, { pack: last })).toEqual([
    { input: INPUTS[5_000], message: 'refused by git' },
  ])
  expect(batches.length).toBeGreaterThan(1)
  expect(batches.reduce((sum, count) => sum + count)).toBe(INPUTS.length)
  expect(await judgeAll('pkt-line', INPUTS, signal, { pack: last })).toEqual([])
})

it('holds against an input nothing that is so only beside others', async () => {
  const inCompany = (inputs: readonly Input[]) =>
    inputs.length === 1 ? [] : inputs.map((input) => ({ input, message: 'of another type in the object before' }))
  const { signal } = new AbortController()
  expect(await judgeAll('object', INPUTS.slice(0, 3), signal, { object: inCompany })).toEqual([])
})

it('ends between two batches when it is told to', async () => {
  const controller = new AbortController()
  const once = (inputs: readonly Input[]) => {
    if (inputs[0]?.name !== '0') throw new Error('goes on')
    controller.abort(new Error('enough'))
    return []
  }
  await expect(judgeAll('pack', INPUTS, controller.signal, { pack: once })).rejects.toThrow('enough')
})
