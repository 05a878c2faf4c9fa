/** Deltas that do not fit their base, their result or themselves. */
import { rawDelta, varint } from '../../../integration/support/pack-maker.ts'
import { type Advisory, all } from '../advisory.ts'
import { deltaOn, hex } from '../makers.ts'

const on = (baseBytes: number, resultBytes: number, instructions: readonly number[]) =>
  deltaOn(baseBytes, rawDelta(baseBytes, resultBytes, instructions))

export const DELTAS: readonly Advisory[] = [
  {
    name: 'CVE-2015-0838',
    of: ['dulwich'],
    defect: 'instructions that make more than the delta declares were written beyond the result',
    inputs: all('delta', 'delta_invalid', {
      'a copy that is too long': () => on(64, 8, [0x90, 64]),
      'an insertion that is too long': () => on(64, 1, [2, 0x61, 0x62, 0x00]),
      'one byte too many, at the end': () => on(64, 64, [0x90, 64, 1, 0x61]),
    }),
  },
  {
    name: 'CVE-2018-10887',
    of: ['libgit2'],
    defect: 'the highest byte of an offset was taken for a sign, so that a copy began before its base',
    inputs: all('delta', 'delta_invalid', {
      'an offset with its highest bit': () => on(64, 16, [0x98, 0x80, 16]),
      'the highest offset': () => on(64, 16, [0x9f, 0xff, 0xff, 0xff, 0xff, 16]),
      'an offset that comes around with its size': () => on(64, 16, [0x9f, 0xf8, 0xff, 0xff, 0xff, 16]),
    }),
  },
  {
    name: 'CVE-2018-10888',
    of: ['libgit2'],
    defect: 'the bytes of a copy at the end of a delta were read from beyond it',
    inputs: all('delta', 'delta_invalid', {
      'without any of its bytes': () => on(64, 0xffff, [0xff]),
      'without the last of them': () => on(64, 16, [0x93, 0, 0]),
    }),
  },
  {
    name: 'git jk/patch-corrupted-delta-fix',
    of: ['git'],
    defect: 'patch-delta read insertions and copies beyond the delta, and said nothing of corrupt ones (t5303)',
    inputs: all('delta', 'delta_invalid', {
      'an insertion that is cut off': () => on(64, 5, [5, 0x61, 0x62]),
      'a base of another size': () => deltaOn(64, rawDelta(65, 4, [0x90, 4])),
      'fewer bytes than it declares': () => on(64, 5, [0x90, 4]),
      'a copy from behind the base': () => on(4, 4, [0x91, 4, 4]),
    }),
  },
  {
    name: 'src-d/go-git#492',
    of: ['go-git'],
    defect: 'corrupt deltas ran PatchDelta out of its slices',
    inputs: all('delta', 'delta_invalid', {
      'nothing at all': () => deltaOn(64, Buffer.alloc(0)),
      'one size alone': () => deltaOn(64, varint(64)),
      'sizes and nothing to do': () => on(64, 4, []),
      'a copy that ends with its command': () => on(64, 4, [0x80 | 0x10]),
    }),
  },
  {
    name: 'GitoxideLabs/gitoxide#2044',
    of: ['gitoxide'],
    defect: 'the command 0, which is reserved, ended the process',
    inputs: all('delta', 'delta_invalid', {
      'first of all': () => on(64, 4, [0, 0x90, 4]),
      'behind what is fine': () => on(64, 4, [0x90, 4, 0]),
    }),
  },
  {
    name: 'GitoxideLabs/gitoxide#2571',
    of: ['gitoxide'],
    defect: "a size that is cut off was read on into the next delta's bytes, or ended the process",
    inputs: all('delta', 'delta_invalid', {
      'the first size': () => deltaOn(64, hex('80 80')),
      'the second size': () => deltaOn(64, hex('40 ff ff')),
    }),
  },
  {
    name: 'jelmer/dulwich#2318',
    of: ['dulwich'],
    defect: 'copies and insertions that are cut off ended in a TypeError, which nobody caught',
    inputs: all('delta', 'delta_invalid', {
      'a copy of nothing': () => deltaOn(0, hex('00 00 81')),
      'an insertion of nothing': () => deltaOn(0, hex('00 01 01')),
    }),
  },
  {
    name: 'jelmer/dulwich#1223',
    of: ['dulwich'],
    defect: 'sizes of more than 31 bits were shifted in a signed int, and came out as 2^64 less something',
    inputs: all('delta', 'delta_invalid', {
      'a base of 2,770,575,360 bytes': () => deltaOn(64, Buffer.concat([varint(2_770_575_360), hex('04 90 04')])),
      'a size of ten bytes': () => deltaOn(64, hex('ffffffffffffffffff01 04 90 04')),
    }),
  },
  {
    name: 'GitoxideLabs/gitoxide#2690',
    of: ['gitoxide'],
    defect: 'memory of any size that a delta or an entry declares was asked for at once (follows GHSA-x494-mj8g-cj27)',
    inputs: {
      ...all('delta', 'object_over_limit', {
        'a result of a tebibyte': () => deltaOn(64, Buffer.concat([varint(64), varint(2 ** 40), hex('90 04')])),
      }),
      ...all('delta', 'delta_invalid', {
        'a result that no instruction makes': () => on(64, 250_000, []),
      }),
      ...all('pack', 'object_over_limit', {
        'an entry of 281 terabytes': () =>
          Buffer.concat([hex('5041434b 00000002 00000001 bf ffffffffffff 7f'), Buffer.alloc(40)]),
      }),
    },
  },
]
