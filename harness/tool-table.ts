/** The programs of others that the harness runs, in one list: to add one, add an entry. */

/** A pinned version that can be had where no such program is installed. */
export interface PinnedTool {
  readonly version: string
  /** `go install PACKAGE@vVERSION` makes it; its executable has this name. */
  readonly go: { readonly package: string; readonly executable: string; readonly ldflags?: string }
  readonly release: {
    /** With {version} and {arch}, below the origin that all releases come from. */
    readonly path: string
    /** The executable in the archive, with the same placeholders. */
    readonly member: string
    /** By Node's name of the architecture: the publisher's name, and the archive's SHA-256 in hex. */
    readonly archives: Readonly<Record<string, { readonly arch: string; readonly sha256: string }>>
  }
}

export interface Tool {
  /** Names on PATH, the first that is there wins; with `probe`, these arguments must make it end with 0. */
  readonly executables: readonly { readonly name: string; readonly probe?: readonly string[] }[]
  readonly pinned?: PinnedTool
  /** Ends the sentence of who misses it. */
  readonly howToGet: string
}

export type ToolName =
  | 'k6'
  | 'toxiproxy-server'
  | 'go'
  | 'python3'
  | 'javac'
  | 'java'
  | 'mvn'
  | 'container engine'
  | 'docker compose'
  | 'kubectl'
  | 'chromium'
  | 'prometheus'
  | 'promtool'
  | 'nginx'
  | 'fcgiwrap'

/** Where the archives of releases lie. */
export const RELEASE_ORIGIN = 'https://github.com'

const WEB_SERVER = 'Install nginx and fcgiwrap (Debian: nginx fcgiwrap), or apt, with which they are unpacked here.'

export const TOOLS: Readonly<Record<ToolName, Tool>> = {
  k6: {
    executables: [{ name: 'k6' }],
    pinned: {
      version: '1.4.2',
      go: { package: 'go.k6.io/k6', executable: 'k6' },
      release: {
        path: '/grafana/k6/releases/download/v{version}/k6-v{version}-linux-{arch}.tar.gz',
        member: 'k6-v{version}-linux-{arch}/k6',
        // As cashapp/hermit-packages recorded them (k6.hcl).
        archives: {
          x64: { arch: 'amd64', sha256: 'c827501f510265db9c3313e4164d2585a97c7a3485ed440b93f7b1cfe6facd28' },
          arm64: { arch: 'arm64', sha256: '0e9515502f80edb562f12c0b12a59085c0b113c6416d728e3c2a9e5a7506cc5c' },
        },
      },
    },
    howToGet: 'Install k6 (https://grafana.com/docs/k6/latest/set-up/install-k6/), or Go, which builds it here.',
  },
  'toxiproxy-server': {
    executables: [{ name: 'toxiproxy-server' }],
    pinned: {
      version: '2.12.0',
      go: {
        package: 'github.com/Shopify/toxiproxy/v2/cmd/server',
        executable: 'server',
        // Otherwise it calls itself "git".
        ldflags: '-X github.com/Shopify/toxiproxy/v2.Version=2.12.0',
      },
      release: {
        path: '/Shopify/toxiproxy/releases/download/v{version}/toxiproxy_{version}_linux_{arch}.tar.gz',
        member: 'toxiproxy-server',
        // As cashapp/hermit-packages recorded them (toxiproxy.hcl).
        archives: {
          x64: { arch: 'amd64', sha256: '65e042d3fc2290c099527bc506446a6fd863a09f113b8944b636ece70221c2b3' },
          arm64: { arch: 'arm64', sha256: 'ab417dafc77ae8b54ec8461cc5da5180d0465a61dcbda86c72da72ee4ab843b7' },
        },
      },
    },
    howToGet: 'Install toxiproxy-server (https://github.com/Shopify/toxiproxy/releases), or Go, which builds it here.',
  },
  go: { executables: [{ name: 'go' }], howToGet: 'Install Go (https://go.dev/dl/, or Debian: golang).' },
  python3: {
    executables: [{ name: 'python3', probe: ['-m', 'pip', '--version'] }],
    howToGet: 'Install Python from 3.10 on, with pip (Debian: python3 python3-pip).',
  },
  javac: { executables: [{ name: 'javac' }], howToGet: 'Install a JDK from 17 on (Debian: default-jdk-headless).' },
  java: { executables: [{ name: 'java' }], howToGet: 'Install a JDK from 17 on (Debian: default-jdk-headless).' },
  mvn: { executables: [{ name: 'mvn' }], howToGet: 'Install Maven (Debian: maven).' },
  'container engine': {
    // Their clients are often installed where no engine runs.
    executables: [
      { name: 'docker', probe: ['version'] },
      { name: 'podman', probe: ['version'] },
    ],
    howToGet: 'Start Docker, or install podman (Debian: podman runc netavark aardvark-dns iptables).',
  },
  'docker compose': {
    executables: [{ name: 'docker', probe: ['compose', 'version'] }],
    howToGet: 'Install the compose plugin of Docker (https://docs.docker.com/compose/install/).',
  },
  kubectl: {
    executables: [{ name: 'kubectl' }],
    howToGet: 'Install kubectl (https://kubernetes.io/docs/tasks/tools/).',
  },
  chromium: {
    executables: [{ name: 'chromium' }, { name: 'chromium-browser' }, { name: 'google-chrome' }],
    howToGet: 'Install Chromium (Debian: chromium).',
  },
  prometheus: { executables: [{ name: 'prometheus' }], howToGet: 'Install Prometheus (Debian: prometheus).' },
  promtool: { executables: [{ name: 'promtool' }], howToGet: 'Install Prometheus (Debian: prometheus).' },
  nginx: { executables: [{ name: 'nginx' }], howToGet: WEB_SERVER },
  fcgiwrap: { executables: [{ name: 'fcgiwrap' }], howToGet: WEB_SERVER },
}
