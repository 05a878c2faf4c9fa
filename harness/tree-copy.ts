/** A copy of the working tree in which code may be broken, and reports written. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../integration/support/command-line.ts'
import { Git, temporaryFolder } from '../integration/support/git.ts'

/** Too big to copy, and only read. */
const LINKED = ['node_modules', '.tools']

/** @param parts files and folders, relative to the root; without them all that git knows or would add */
export async function copyTree(parts: readonly string[] = []): Promise<Disposable & { readonly path: string }> {
  const folder = temporaryFolder('tree-copy')
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...parts]
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

/** @throws Error where the code is not what is to be replaced */
export function replaceOnce(text: string, from: string, to: string, file: string): string {
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times what is to be replaced: ${from}`)
  return parts.join(to)
}
