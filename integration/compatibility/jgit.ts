import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runMaker } from '../../harness/tool-build.ts'
import { findFolder, findTool } from '../../harness/tools.ts'
import type { Client } from './client.ts'
import { askProgram, pinnedVersion } from './program.ts'

const FOLDER = join(import.meta.dirname, 'jgit-program')
const FILES = ['Program.java', 'pom.xml']

export const jgit: Client = {
  name: 'JGit',
  what: 'Java, from Maven Central',
  sources: ['jgit.ts', ...FILES.map((file) => `jgit-program/${file}`), 'program.ts'],
  async open(options) {
    const { signal, say } = options
    const [java, javac, maven] = [
      await findTool('java', options),
      await findTool('javac', options),
      await findTool('mvn', options),
    ]
    const hash = createHash('sha256')
    for (const file of FILES) hash.update(readFileSync(join(FOLDER, file)))
    const built = await findFolder(`jgit-program-${hash.digest('hex').slice(0, 12)}`, options, {
      howToGet: 'Give Maven a repository that has the jars of integration/compatibility/jgit-program.',
      async make(folder) {
        say('JGit: fetching its jars with Maven, and compiling its program')
        const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies'
        // Jars whose checksum is another are refused.
        const args = ['--batch-mode', '--strict-checksums', '-f', join(FOLDER, 'pom.xml')]
        await runMaker('mvn', { program: maven, args: [...args, `-DoutputDirectory=${folder}`, goal], signal })
        const sources = ['-cp', join(folder, '*'), '-d', folder, join(FOLDER, 'Program.java')]
        await runMaker('javac', { program: javac, args: sources, signal })
      },
    })
    const version = pinnedVersion(join(FOLDER, 'pom.xml'), /org\.eclipse\.jgit<\/artifactId>\s*<version>([0-9.]+)\./)
    const args = ['-cp', [built, join(built, '*')].join(':'), '-XX:TieredStopAtLevel=1', 'Program']
    return { version, ask: (request) => askProgram({ program: java, args, signal }, request) }
  },
}
