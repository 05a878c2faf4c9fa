/** What podman needs, and what it is told, to serve containers where neither systemd nor Docker is. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'

/** Where distributions put what runs no user, and so is on nobody's PATH. */
const NETAVARK_FOLDERS = [
  '/usr/lib/podman',
  '/usr/libexec/podman',
  '/usr/local/lib/podman',
  '/usr/local/libexec/podman',
]
const CNI_FOLDERS = ['/usr/lib/cni', '/usr/libexec/cni', '/usr/local/lib/cni', '/opt/cni/bin']
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin']

/** What is missing for containers that talk to each other; undefined: nothing. */
export function podmanLack(podman: string): string | undefined {
  if (runtimeThere() === undefined) return 'neither runc nor crun is'
  const backend = execFileSync(podman, ['info', '--format', '{{.Host.NetworkBackend}}'], { encoding: 'utf8' }).trim()
  if (backend === 'cni') return isIn('bridge', CNI_FOLDERS) ? undefined : 'no plugins for its networks are'
  if (!isIn('netavark', NETAVARK_FOLDERS)) return 'netavark is not'
  if (!isIn('aardvark-dns', NETAVARK_FOLDERS)) return 'aardvark-dns is not'
  return isIn('iptables', [...pathFolders(), ...SYSTEM_FOLDERS]) ? undefined : 'iptables is not'
}

/**
 * `containers.conf`. Limits are lower than podman's own, which a container inside a container may not ask for; without
 * systemd, control groups are written directly.
 */
export function podmanConfiguration(networkFolder: string): string {
  return `[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "${runtimeThere() ?? 'runc'}"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_config_dir = "${networkFolder}"
`
}

/**
 * Ends what still watches over commands run in containers of this storage: podman lets it wait for five minutes, and
 * then it would make the storage anew.
 */
export function endMonitors(storage: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    try {
      const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      const isOurs = basename(program) === 'conmon' && args.some((arg) => arg.startsWith(`${storage}/`))
      if (isOurs) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
}

function runtimeThere(): string | undefined {
  return ['runc', 'crun'].find((name) => isIn(name, [...pathFolders(), ...SYSTEM_FOLDERS]))
}

function pathFolders(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter)
}

function isIn(name: string, folders: readonly string[]): boolean {
  return folders.some((folder) => existsSync(join(folder, name)))
}
