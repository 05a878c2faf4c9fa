import { join } from 'node:path'
import { runMaker } from '../../harness/tool-build.ts'
import { findFolder, findTool } from '../../harness/tools.ts'
import type { Client } from './client.ts'
import { askProgram, pinnedVersion } from './program.ts'

const PROGRAM = join(import.meta.dirname, 'dulwich-program/program.py')
const REQUIREMENTS = join(import.meta.dirname, 'dulwich-program/requirements.txt')

export const dulwich: Client = {
  name: 'dulwich',
  what: 'Python, from PyPI',
  sources: ['dulwich.ts', 'dulwich-program/program.py', 'dulwich-program/requirements.txt', 'program.ts'],
  async open(options) {
    const { signal, say } = options
    const program = await findTool('python3', options)
    const version = pinnedVersion(REQUIREMENTS, /^dulwich==(\S+)/m)
    const packages = await findFolder(`dulwich-${version}`, options, {
      howToGet: 'Give pip a registry that has the packages of integration/compatibility/dulwich-program.',
      async make(folder) {
        say(`dulwich: fetching ${version} with pip`)
        // Wheels are unpacked, and nothing of them is run; pip would prefer those for this platform, which are not pinned.
        const pure = ['--only-binary=:all:', '--platform=any', '--implementation=py', '--abi=none']
        const args = [...pure, '--no-deps', '--require-hashes', '--target', folder, '-r', REQUIREMENTS]
        await runMaker('pip install', { program, args: ['-m', 'pip', 'install', ...args], signal })
      },
    })
    const environment = { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' }
    return { version, ask: (request) => askProgram({ program, args: [PROGRAM], environment, signal }, request) }
  },
}
