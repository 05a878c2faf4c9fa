/** A copy of the working tree in which code may be broken, and reports and findings written. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../integration/support/command-line.ts'
import { Git, temporaryFolder } from '../integration/support/git.ts'

/** What the fuzzer and all it fuzzes are made of. */
const COPIED = ['src', 'fuzz', 'harness', 'integration/support', 'package.json', 'tsconfig.json']
/** Too big to copy, and only read. */
const LINKED = ['node_modules', '.tools']

export async function copyTree(): Promise<Disposable & { readonly path: string }> {
  const folder = temporaryFolder('fuzz-copy')
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...COPIED]
  for (const file of execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0')) {
    if (file !== '' && existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(folder.path, file))
  }
  for (const name of LINKED) {
    if (existsSync(join(ROOT, name))) symlinkSync(join(ROOT, name), join(folder.path, name))
  }
  // Reports name a commit.
  const git = new Git(folder.path)
  await git.run('init', '--quiet')
  await git.run('commit', '--quiet', '--allow-empty', '-m', 'a copy')
  return folder
}
