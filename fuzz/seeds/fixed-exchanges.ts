/** What git's clients say to the repository that fuzzed requests are made to. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../../integration/support/git.ts'
import { FIXED_PACK, FIXED_REFS } from '../grammar/fixed-repository.ts'
import type { NamedExchange } from './material.ts'
import { record, type Recorder } from './recorder.ts'

export async function recordFixedExchanges(root: string): Promise<NamedExchange[]> {
  // Its own folder: each repository below it is served.
  const folder = join(root, 'fixed')
  mkdirSync(folder)
  const server = new Git(folder).in('fixed.git')
  await new Git(folder).run('init', '--quiet', '--bare', '--initial-branch=main', 'fixed.git')
  const { code } = await server.try(['index-pack', '--stdin', '--strict'], FIXED_PACK)
  if (code !== 0) throw new Error('git does not take the pack of the fixed repository')
  await setRefs(server)
  await server.run('config', 'uploadpack.allowFilter', 'true')
  await using recorder = await record(folder)
  const url = `${recorder.origin}/fixed.git`
  const exchanges: NamedExchange[] = []
  for (const version of ['0', '1', '2']) exchanges.push(...(await recordFetches(folder, version, url, recorder)))
  return [...exchanges, ...(await recordPushes(folder, server, url, recorder))]
}

async function recordFetches(
  folder: string,
  version: string,
  url: string,
  recorder: Recorder,
): Promise<NamedExchange[]> {
  const git = new Git(folder, ['-c', `protocol.version=${version}`])
  const clone = ['clone', '--quiet', '--bare']
  const side = `side-${version}.git`
  const fetches = {
    'a clone': [...clone, url, `all-${version}.git`],
    'a shallow clone': [...clone, '--depth=1', url, `shallow-${version}.git`],
    'a partial clone': [...clone, '--filter=blob:none', url, `partial-${version}.git`],
    'a clone of a branch': [...clone, '--single-branch', '--branch=side', url, side],
    'a fetch of the rest': ['-C', side, 'fetch', '--quiet', url, 'main'],
  }
  const exchanges: NamedExchange[] = []
  for (const [name, args] of Object.entries(fetches)) {
    await git.run(...args)
    exchanges.push(...named(`${name}, version ${version}`, recorder))
  }
  return exchanges
}

async function recordPushes(folder: string, server: Git, url: string, recorder: Recorder): Promise<NamedExchange[]> {
  await new Git(folder).run('clone', '--quiet', url, 'work')
  const git = new Git(folder).in('work')
  recorder.take()
  const exchanges: NamedExchange[] = []
  const push = async (name: string, ...refs: readonly string[]): Promise<void> => {
    await git.run('push', '--quiet', ...refs)
    exchanges.push(...named(`push of ${name}`, recorder))
    // Each is a push to what is there for the fuzzer.
    await setRefs(server)
  }
  writeFileSync(join(git.folder, 'long'), 'a line that stays\n'.repeat(9))
  await git.commit('next')
  await push('a commit', 'origin', 'main')
  await git.run('tag', '-a', '-m', 'of the next one', 'v2')
  await push('a tag', 'origin', 'v2')
  await push('a deletion', 'origin', ':refs/heads/old/root')
  await push('two branches at once', '--atomic', 'origin', 'main:refs/heads/one', 'main~1:refs/heads/two')
  await push('a branch that goes back', '--force', 'origin', 'main~2:refs/heads/main')
  return exchanges
}

async function setRefs(server: Git): Promise<void> {
  const found = await server.run('for-each-ref', '--format=%(refname)')
  for (const ref of found.split('\n').filter((name) => name !== '')) await server.run('update-ref', '-d', ref)
  for (const [ref, oid] of FIXED_REFS) await server.run('update-ref', ref, oid)
}

function named(what: string, recorder: Recorder): NamedExchange[] {
  const exchanges = recorder.take()
  return exchanges.map((one, at) => ({ ...one, name: exchanges.length === 1 ? what : `${what}, ${at + 1}` }))
}
