/** After the pushes: what real git finds. */
import { join } from 'node:path'
import { fsck, Git } from '../integration/support/git.ts'
import type { LoadPlan } from './plan.ts'
import type { Target } from './target.ts'

/** @returns what is not as the node acknowledged it, one sentence each */
export async function verifyPushes(
  plan: LoadPlan,
  target: Target,
  acknowledgedRefs: readonly string[],
  folder: string,
): Promise<string[]> {
  const url = target.urlOf(plan.pushTo.slice(plan.username.length + 1))
  const git = new Git(folder, [], target.network)
  const told = await git.run('ls-remote', url, 'refs/heads/pushed/*')
  const found = new Map(told.split('\n').map((line) => [line.slice(41), line.slice(0, 40)]))
  const oids = new Map(plan.pushes.map(({ ref, oid }) => [ref, oid]))
  const findings = acknowledgedRefs.flatMap((ref) => {
    const [expected, is] = [oids.get(ref), found.get(ref)]
    return is === expected ? [] : [`${ref} was acknowledged as ${expected}, and is ${is ?? 'not there'}`]
  })
  const clone = join(folder, 'verified.git')
  await git.run('clone', '--quiet', '--mirror', url, clone)
  await fsck(clone).catch((error: Error) => findings.push(error.message))
  return findings
}
