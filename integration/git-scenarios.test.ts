/**
 * What people do with git, at a node and at a twin that C git serves: what git says, what the client then holds, and
 * what the host has are the same. Each is named after the file of git's own test suite whose behaviour it mirrors.
 */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { CLONE } from './scenarios/clone.ts'
import { FETCH } from './scenarios/fetch.ts'
import { LISTING } from './scenarios/listing.ts'
import { PARTIAL } from './scenarios/partial.ts'
import { PUSH } from './scenarios/push.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { SHALLOW } from './scenarios/shallow.ts'
import { BothHosts } from './support/both-hosts.ts'

/** What a server answers otherwise in another version; the rest is the client's own doing. */
const BY_VERSION: Readonly<Record<string, readonly Scenario[]>> = {
  listing: LISTING,
  shallow: SHALLOW,
  partial: PARTIAL,
}
const READING: Readonly<Record<string, readonly Scenario[]>> = { clone: CLONE, fetch: FETCH }

let hosts: BothHosts

beforeAll(async () => {
  hosts = await BothHosts.start()
})
afterAll(() => hosts[Symbol.asyncDispose]())

// Version 1 is version 0 with one line before it.
describe.each(['0', '2'])('protocol.version %s', (version) => {
  describe.each(Object.keys(BY_VERSION))('%s', (part) => {
    it.each(BY_VERSION[part] ?? [])('$like: $name', (scenario) => hosts.expectSame(scenario, version))
  })
})

describe.each(Object.keys(READING))('%s', (part) => {
  it.each(READING[part] ?? [])('$like: $name', (scenario) => hosts.expectSame(scenario, '2'))
})

// Pushes speak version 0 whatever is asked for.
describe('push', () => {
  it.each(PUSH)('$like: $name', (scenario) => hosts.expectSame(scenario, '2'))
})

it('version 1 has what version 0 has', () => hosts.expectSame(SHALLOW[0] as Scenario, '1'))
