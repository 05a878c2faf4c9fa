/** Shallow and partial clones, in every protocol, beside a twin that C git serves: each client ends with the same. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeHistory, PARTIAL, pushByOthers, type Row, SHALLOW } from './git-partial-rows.ts'
import { fsck, Git, type GitOutcome, holdingsOf, temporaryFolder } from './support/git.ts'
import { type Host, NodeHost, TwinHost } from './support/hosts.ts'
import { NodeProcess } from './support/node-process.ts'

/** Version 1 is version 0 with one line before it. */
const VERSIONS = ['0', '2'] as const
const HOSTS = ['guts', 'twin'] as const

let node: NodeProcess
let guts: NodeHost
let twin: TwinHost
let source: Git
let shared: readonly Place[]
const folder = temporaryFolder('partial')

beforeAll(async () => {
  node = await NodeProcess.start({ environment: { GUTS_RATE_LIMIT: '0' } })
  guts = await NodeHost.on(node)
  twin = await TwinHost.start()
  mkdirSync(join(folder.path, 'source'))
  source = new Git(join(folder.path, 'source'))
  await makeHistory(source)
  shared = await Promise.all(HOSTS.map((host) => fill(host, 'shared')))
})

afterAll(async () => {
  await twin[Symbol.asyncDispose]()
  await node[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

describe.each(VERSIONS)('protocol.version %s', (version) => {
  describe('shallow: ', () => {
    it.each(SHALLOW)('$name', (row) => sameAtBoth(row, version))
  })
  describe('partial: ', () => {
    it.each(PARTIAL)('$name', (row) => sameAtBoth(row, version))
  })
})

it('version 1 has what version 0 has', () => sameAtBoth(SHALLOW[0] as Row, '1'))

type Place = Awaited<ReturnType<Host['create']>>

async function fill(host: (typeof HOSTS)[number], name: string): Promise<Place> {
  const place = await (host === 'guts' ? guts : twin).create(name)
  await source.run('push', '--quiet', '--all', place.url)
  await source.run('push', '--quiet', '--tags', place.url)
  return place
}

let visits = 0

async function sameAtBoth(row: Row, version: string): Promise<void> {
  const name = `row-${visits++}`
  const places = row.changes === true ? await Promise.all(HOSTS.map((host) => fill(host, name))) : shared
  const [ours, theirs] = await Promise.all(
    places.map((place, at) => visit(row, version, place, join(folder.path, `${name}-${at}`))),
  )
  expect(ours).toEqual(theirs)
  if (row.changes === true) await fsck(guts.gitDirectory(name))
}

async function visit(row: Row, version: string, { url }: Place, here: string): Promise<unknown> {
  mkdirSync(here)
  // Its own housekeeping would move packs while they are listed.
  const outside = new Git(here, ['-c', `protocol.version=${version}`, '-c', 'maintenance.auto=false'])
  const clone = outside.in('clone')
  const said = await row.run({
    outside,
    clone,
    url,
    timeOf: (revision) => source.run('log', '-1', '--format=%ct', revision),
    othersPush: () => pushByOthers(outside, source, url),
  })
  return { said: said.map(withoutHost), holds: await holdingsOf(clone) }
}

/** What git prints names the host; `stderr` is for people, and each host words it as it likes. */
function withoutHost(outcome: GitOutcome | string): unknown {
  const plain = (text: string): string => text.replaceAll(/http:\/\/\S+\.git/g, 'URL')
  return typeof outcome === 'string' ? plain(outcome) : { code: outcome.code, stdout: plain(outcome.stdout) }
}
