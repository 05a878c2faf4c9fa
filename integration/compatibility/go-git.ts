import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runMaker } from '../../harness/tool-build.ts'
import { findFolder, findTool } from '../../harness/tools.ts'
import type { Client } from './client.ts'
import { askProgram, pinnedVersion } from './program.ts'

const FOLDER = join(import.meta.dirname, 'go-git-program')
const FILES = ['main.go', 'go.mod', 'go.sum']

export const goGit: Client = {
  name: 'go-git',
  what: 'Go',
  sources: ['go-git.ts', ...FILES.map((file) => `go-git-program/${file}`), 'program.ts'],
  async open(options) {
    const { signal, say } = options
    const go = await findTool('go', options)
    const hash = createHash('sha256')
    for (const file of FILES) hash.update(readFileSync(join(FOLDER, file)))
    const built = await findFolder(`go-git-program-${hash.digest('hex').slice(0, 12)}`, options, {
      howToGet: 'Give Go a proxy that has the modules of integration/compatibility/go-git-program.',
      async make(folder) {
        say('go-git: building its program with Go, which takes a minute the first time')
        const args = ['build', '-trimpath', '-o', join(folder, 'program'), '.']
        const environment = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' }
        await runMaker('go build', { program: go, args, environment, cwd: FOLDER, signal })
      },
    })
    const program = join(built, 'program')
    const version = pinnedVersion(join(FOLDER, 'go.mod'), /go-git\/v5 v(\S+)/)
    return { version, ask: (request) => askProgram({ program, args: [], signal }, request) }
  },
}
