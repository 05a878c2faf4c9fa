/** After the pushes: what real git finds. */
import { join } from 'node:path'
import { fsck, Git } from '../integration/support/git.ts'
import type { LoadPlan } from './plan.ts'

/** @returns what is not as the node acknowledged it, one sentence each */
export async function verifyPushes(
  plan: LoadPlan,
  url: string,
  acknowledgedRefs: readonly string[],
  folder: string,
): Promise<string[]> {
  const told = await new Git(folder).run('ls-remote', url, 'refs/heads/pushed/*')
  const found = new Map(told.split('\n').map((line) => [line.slice(41), line.slice(0, 40)]))
  const oids = new Map(plan.pushes.map(({ ref, oid }) => [ref, oid]))
  const findings = acknowledgedRefs.flatMap((ref) => {
    const [expected, is] = [oids.get(ref), found.get(ref)]
    return is === expected ? [] : [`${ref} was acknowledged as ${expected}, and is ${is ?? 'not there'}`]
  })
  const clone = join(folder, 'verified.git')
  await new Git(folder).run('clone', '--quiet', '--mirror', url, clone)
  await fsck(clone).catch((error: Error) => findings.push(error.message))
  return findings
}
