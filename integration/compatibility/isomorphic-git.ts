import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/command-line.ts'
import type { Client, OpenClient } from './client.ts'
import { askProgram } from './program.ts'

const PROGRAM = join(import.meta.dirname, 'isomorphic-git-program.ts')
const HEAP_MB_MAX = 256

export const isomorphicGit: Client = {
  name: 'isomorphic-git',
  what: 'JavaScript, from npm',
  sources: ['isomorphic-git.ts', 'isomorphic-git-program.ts', 'program.ts'],
  async open({ signal }): Promise<OpenClient> {
    const manifest = readFileSync(join(ROOT, 'node_modules/isomorphic-git/package.json'), 'utf8')
    const { version } = JSON.parse(manifest) as { version: string }
    const program = process.execPath
    const args = [`--max-old-space-size=${HEAP_MB_MAX}`, PROGRAM]
    return { version, ask: (request) => askProgram({ program, args, signal }, request) }
  },
}
