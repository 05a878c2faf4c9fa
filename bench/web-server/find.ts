/** The real web server that the node is measured against: nginx, with fcgiwrap for `git http-backend`. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runMaker } from '../../harness/tool-build.ts'
import { TOOLS } from '../../harness/tool-table.ts'
import { findFolder, type FindToolOptions, MACHINE_PLACES, toolThere } from '../../harness/tools.ts'

export interface WebServerTools {
  readonly nginx: string
  readonly fcgiwrap: string
  /** Where fcgiwrap was unpacked, its library lies beside it. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * The machine's own, else Debian's packages, unpacked and not installed: apt checks what it downloads against the
 * signed lists of the release.
 * @throws ToolMissingError with what was tried, and how to get them
 */
export async function findWebServer(options: FindToolOptions): Promise<WebServerTools> {
  const { signal, say, places = MACHINE_PLACES } = options
  const [nginx, fcgiwrap] = [toolThere('nginx', places), toolThere('fcgiwrap', places)]
  if (nginx !== undefined && fcgiwrap !== undefined) return { nginx, fcgiwrap, environment: {} }
  const folder = await findFolder(`web-server-${release()}-${process.arch}`, options, {
    howToGet: TOOLS.nginx.howToGet,
    async make(workFolder) {
      say('nginx and fcgiwrap: fetching their packages with apt')
      const args = ['download', 'nginx', 'fcgiwrap', libraryPackage()]
      await runMaker('apt-get download', { program: 'apt-get', args, cwd: workFolder, signal })
      for (const name of readdirSync(workFolder).filter((one) => one.endsWith('.deb'))) {
        await runMaker('dpkg-deb -x', { program: 'dpkg-deb', args: ['-x', name, '.'], cwd: workFolder, signal })
        rmSync(join(workFolder, name))
      }
      const made = unpackedIn(workFolder)
      // Other libraries that they miss, they name here.
      await runMaker('nginx -v', { program: made.nginx, args: ['-v'], signal })
      const { environment } = made
      await runMaker('fcgiwrap -h', { program: made.fcgiwrap, args: ['-h'], environment, signal })
    },
  })
  return unpackedIn(folder)
}

function unpackedIn(folder: string): WebServerTools {
  const libraries = join(folder, 'usr/lib')
  const places = readdirSync(libraries).map((name) => join(libraries, name))
  return {
    nginx: join(folder, 'usr/sbin/nginx'),
    fcgiwrap: join(folder, 'usr/sbin/fcgiwrap'),
    environment: { LD_LIBRARY_PATH: places.join(':') },
  }
}

/** Releases name it differently. */
function libraryPackage(): string {
  const { stdout } = spawnSync('apt-cache', ['depends', 'fcgiwrap'], { encoding: 'utf8' })
  return /\blibfcgi\S+/.exec(stdout ?? '')?.[0] ?? 'libfcgi0ldbl'
}

/** Packages of one release do not run on another. */
function release(): string {
  const text = readFileSync('/etc/os-release', 'utf8')
  const [id, version] = ['ID', 'VERSION_ID'].map((key) => new RegExp(`^${key}="?([\\w.]+)`, 'm').exec(text)?.[1])
  return `${id ?? 'unknown'}-${version ?? 'unstable'}`
}
