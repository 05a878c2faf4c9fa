/** The scenarios, in one table: to add one, add an entry. */
import type { Scenario } from './scenario.ts'

const slowLink: Scenario = {
  name: 'slow-link',
  why: 'A mirror behind a slow link falls behind, and neither loses its way nor holds up the other one.',
  faults: [
    {
      kind: 'slow',
      links: ['home--mirror-1', 'mirror-1--mirror-2'],
      latencyMs: [150, 500],
      rateKBps: [40, 120],
      atS: [2, 4],
      forS: [14, 20],
    },
  ],
  pushS: 26,
  convergeS: 60,
  circuitsOf: [],
}

const oneWayBlackHole: Scenario = {
  name: 'one-way-black-hole',
  why: 'Requests arrive and answers are lost, or the reverse: connections look alive, and only time tells.',
  faults: [
    { kind: 'black-hole', link: 'home--mirror-1', towards: 'mirror-1', atS: [2, 4], forS: [13, 18] },
    { kind: 'black-hole', link: 'home--mirror-2', towards: 'home', atS: [3, 6], forS: [13, 18] },
  ],
  pushS: 26,
  convergeS: 60,
  circuitsOf: ['mirror-1', 'mirror-2'],
}

const fullPartition: Scenario = {
  name: 'full-partition',
  why: 'Mirrors that hear nothing of their home go on serving what they have, and catch up without help.',
  faults: [
    { kind: 'cut', links: ['home--mirror-1', 'home--mirror-2'], atS: [2, 4], forS: [13, 18] },
    { kind: 'cut', links: ['mirror-1--mirror-2'], atS: [5, 8], forS: [4, 12] },
  ],
  pushS: 26,
  convergeS: 60,
  circuitsOf: ['mirror-1', 'mirror-2'],
}

const flapping: Scenario = {
  name: 'flapping',
  why: 'Links that reset connections again and again break packs in the middle.',
  faults: [
    {
      kind: 'flap',
      links: ['home--mirror-1', 'home--mirror-2', 'mirror-1--mirror-2'],
      times: [6, 9],
      atS: [1, 3],
      forS: [0.3, 1.5],
      upS: [0.3, 1.2],
    },
  ],
  pushS: 28,
  convergeS: 60,
  circuitsOf: [],
}

const homeKilled: Scenario = {
  name: 'home-killed',
  why: 'What the home acknowledged survives its death, and no mirror ever shows what the home lost.',
  faults: [
    { kind: 'kill', node: 'home', during: 'push', afterMs: [0, 120], atS: [3, 5], forS: [0, 1] },
    { kind: 'kill', node: 'home', during: 'push', afterMs: [0, 120], atS: [11, 13], forS: [0, 1] },
    { kind: 'kill', node: 'home', during: 'push', afterMs: [0, 120], atS: [19, 21], forS: [4, 6] },
  ],
  pushS: 38,
  convergeS: 60,
  circuitsOf: [],
}

const mirrorKilled: Scenario = {
  name: 'mirror-killed',
  why: 'A mirror that dies while it takes a pack shows the state before or the state after, and goes on from there.',
  faults: [
    { kind: 'kill', node: 'mirror-1', during: 'apply', afterMs: [0, 60], atS: [2, 4], forS: [0, 1] },
    { kind: 'kill', node: 'mirror-2', during: 'apply', afterMs: [0, 60], atS: [7, 9], forS: [0, 1] },
    { kind: 'kill', node: 'mirror-1', during: 'apply', afterMs: [0, 60], atS: [13, 15], forS: [0, 3] },
    { kind: 'kill', node: 'mirror-1', during: 'apply', afterMs: [0, 60], atS: [21, 23], forS: [0, 1] },
  ],
  pushS: 34,
  convergeS: 60,
  circuitsOf: [],
}

/** A little of each, for `npm test`. */
export const SMOKE: Scenario = {
  name: 'smoke',
  why: 'A little of each of the others, short enough for every day.',
  faults: [
    { kind: 'kill', node: 'mirror-2', during: 'apply', afterMs: [0, 60], atS: [1, 2], forS: [0, 0.5] },
    { kind: 'cut', links: ['home--mirror-1'], atS: [2, 3], forS: [10, 11] },
    { kind: 'kill', node: 'home', during: 'push', afterMs: [0, 120], atS: [14, 15], forS: [0, 0.5] },
    { kind: 'flap', links: ['home--mirror-2'], times: [2, 3], atS: [3, 5], forS: [0.3, 0.8], upS: [0.5, 1] },
  ],
  pushS: 22,
  convergeS: 60,
  circuitsOf: ['mirror-1'],
}

/** What a run without names runs. */
export const SCENARIOS: readonly Scenario[] = [
  slowLink,
  oneWayBlackHole,
  fullPartition,
  flapping,
  homeKilled,
  mirrorKilled,
]
