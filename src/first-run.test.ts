import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { pushCommand } from './first-run.ts'

/** What a shell makes of it, and git's helper of that. */
function words(command: string): string[] {
  const script = `set -- ${command}; for word; do printf '%s\\0' "$word"; done`
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
}

describe('the line to paste', () => {
  it.each([
    '/home/ann/guts/data/credentials',
    '/home/ann/my data/credentials',
    "/home/ann/it's/credentials",
    '/home/ann/$HOME/`id`/"x"/credentials',
    '/home/ann/a;b&c|d(e)/credentials',
    '/home/ann/über/credentials',
  ])('means the file %s, however that is spelt', (file) => {
    const command = pushCommand(file, 'http://admin@127.0.0.1:8080/git/admin/first')
    expect(command).not.toContain('\n')
    const helper = words(command).find((word) => word.startsWith('credential.helper=store')) ?? ''
    expect(words(helper.slice('credential.helper='.length))).toEqual(['store', `--file=${file}`])
    expect(words(command).slice(-3)).toEqual([
      'push',
      'http://admin@127.0.0.1:8080/git/admin/first',
      'HEAD:refs/heads/main',
    ])
  })
})
