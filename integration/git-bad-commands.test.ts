/** Commands of a push that no server may obey: the pusher reads why, and nothing changes (I3, I4, I7). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BAD_COMMANDS, CRASH_INPUTS } from './bad-input/commands.ts'
import { FIRST, Victim } from './bad-input/fixture.ts'
import { Git, temporaryFolder } from './support/git.ts'
import { pack } from './support/pack-maker.ts'
import { command, NO_OID, pushBody } from './support/wire.ts'

let victim: Victim

beforeAll(async () => {
  victim = await Victim.start()
})
afterAll(() => victim[Symbol.asyncDispose]())

describe('a push that is refused', () => {
  // Not it.each: it cuts a name after 40 characters.
  for (const { name, body, reason } of BAD_COMMANDS)
    it(name, async () => {
      const reply = await victim.send('git-receive-pack', body)
      expect(reply.status).toBe(200)
      expect(reply.reason).toMatch(reason)
      expect(reply.lines.filter((line) => line.startsWith('ok '))).toEqual([])
      await victim.expectUnharmed()
    })
})

describe('a crash input', () => {
  const versions = ['0', '1', '2'] as const
  it.each(CRASH_INPUTS)('$name', async ({ body }) => {
    for (const version of versions) {
      // After a flush no command stands, so there is nothing to report.
      const known = await victim.send('git-receive-pack', body, { token: victim.host.token, version })
      expect(known).toMatchObject({ status: 200, lines: [] })
      const anonymous = await victim.send('git-receive-pack', body, { version })
      expect(anonymous.status).toBe(401)
      const stranger = await victim.send('git-receive-pack', body, { token: victim.strangersToken, version })
      expect(stranger.status).toBe(404)
    }
    await victim.expectUnharmed()
  })
})

it('a name that a report could not repeat takes no other command of its push with it', async () => {
  const long = `refs/heads/${'a'.repeat(65_420)}`
  const commands = [command('refs/heads/beside', FIRST.oid), command(long, FIRST.oid, NO_OID, '')]
  const reply = await victim.send('git-receive-pack', pushBody(commands, pack([])))
  expect(reply.lines.slice(0, 2)).toEqual(['unpack ok\n', 'ok refs/heads/beside\n'])
  expect(reply.lines[2]).toMatch(/^ng refs\/heads\/.* A ref's name/)
  await victim.expectAlive()
})

it('a ref takes the place of a deleted one that was its folder, in one push', async () => {
  await victim.push([command('refs/heads/place', FIRST.oid)], pack([]))
  const swap = [command('refs/heads/place', NO_OID, FIRST.oid), command('refs/heads/place/below', FIRST.oid)]
  const reply = await victim.push(swap, pack([]))
  expect(reply.lines).toEqual(['unpack ok\n', 'ok refs/heads/place\n', 'ok refs/heads/place/below\n'])
  expect(victim.refsInDatabase()).toContain('refs/heads/place/below')
  await victim.expectAlive()
})

it('real git reads why a branch below a kept one is refused', async () => {
  using folder = temporaryFolder('bad-command')
  const git = new Git(folder.path)
  await git.run('clone', '--quiet', '--single-branch', victim.host.url('site'), 'work')
  const { code, stderr } = await git.in('work').try(['push', 'origin', ':main', 'HEAD:refs/heads/main/sub'])
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/main\/sub.*'refs\/heads\/main' exists/)
  await victim.expectUnharmed()
})

it('real git reads why a name of other bytes than UTF-8 is refused', async () => {
  using folder = temporaryFolder('bad-command')
  const git = new Git(folder.path)
  await git.run('clone', '--quiet', '--single-branch', victim.host.url('site'), 'work')
  // A shell keeps the byte that no string of ours could hold.
  const { execFileSync } = await import('node:child_process')
  const script = 'git push "$0" "HEAD:refs/heads/caf$(printf "\\\\351")" 2>&1; echo "ended with $?"'
  const output = execFileSync('sh', ['-c', script, victim.host.url('site')], { cwd: `${folder.path}/work` }).toString()
  expect(output).toMatch(/UTF-8/)
  expect(output).toMatch(/ended with 1/)
  await victim.expectUnharmed()
})
