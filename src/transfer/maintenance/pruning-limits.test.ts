import { expect, it } from 'vitest'
import { type PruneFigures, PRUNING_LIMITS, scopeOf } from './pruning-limits.ts'

const { unreachable_bytes: bytes, unreachable_percent: percent } = PRUNING_LIMITS
const NOTHING: PruneFigures = {
  packs: { ordinary: 1, cruft: 1 },
  ordinaryBytes: 0,
  newly: { objects: 0, bytes: 0 },
  returned: 0,
  gone: { objects: 0, bytes: 0 },
}
const newly = (size: number) => ({ objects: 1, bytes: size })
const SHARE = (bytes.value * 100) / percent.value

it.each([
  { name: 'nothing to do', figures: {}, all: 'none', needed: 'none' },
  { name: 'several packs', figures: { packs: { ordinary: 2, cruft: 0 } }, all: 'both', needed: 'none' },
  { name: 'several packs with times', figures: { packs: { ordinary: 1, cruft: 2 } }, all: 'cruft', needed: 'none' },
  { name: 'reached again', figures: { returned: 1 }, all: 'both', needed: 'none' },
  { name: 'old', figures: { gone: newly(1) }, all: 'cruft', needed: 'cruft' },
  { name: 'one byte less', figures: { newly: newly(bytes.value - 1) }, all: 'both', needed: 'none' },
  { name: 'enough', figures: { newly: newly(bytes.value), ordinaryBytes: SHARE }, all: 'both', needed: 'both' },
  {
    name: 'one byte less than its share',
    figures: { newly: newly(bytes.value), ordinaryBytes: SHARE + 100 },
    all: 'both',
    needed: 'none',
  },
] as const)('$name: by hand $all, by itself $needed', ({ figures, all, needed }) => {
  expect(scopeOf({ ...NOTHING, ...figures }, 'all')).toBe(all)
  expect(scopeOf({ ...NOTHING, ...figures }, 'needed')).toBe(needed)
})
