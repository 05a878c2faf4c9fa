/** The manifests of Kubernetes, without a cluster. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig } from '../src/config/load.ts'
import { toolThere } from '../harness/tools.ts'
import { healthRoutes } from '../src/http/routes/health.ts'
import { endMsMax } from './support/close-time.ts'
import { ROOT, run } from './support/command-line.ts'
import { temporaryFolder } from './support/git.ts'
import { complaintsOf, type Manifest } from './support/kubernetes.ts'

const FOLDER = join(ROOT, 'k8s')
const KUSTOMIZATION = 'kustomization.yaml'
const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml') && file !== KUSTOMIZATION)
const manifests = files.flatMap((file) => parseAllDocuments(read(file)).map((one) => one.toJS() as Manifest))

interface EnvironmentVariable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } }
}

interface Container {
  readonly image: string
  readonly env: readonly EnvironmentVariable[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
  readonly securityContext: object
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string; readonly port: string } }
}

interface Pod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
  readonly spec: {
    readonly containers: readonly [Container]
    readonly securityContext: object
    readonly terminationGracePeriodSeconds: number
    readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[]
  }
}

function specOf(kind: string, name: string): unknown {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name)
  if (found === undefined) throw new Error(`There is no ${kind} ${name}`)
  return found['spec']
}

const pod = (specOf('StatefulSet', 'guts') as { template: Pod }).template
const [container] = pod.spec.containers
const kustomization = parse(read(KUSTOMIZATION)) as {
  readonly namespace: string
  readonly resources: readonly string[]
  readonly secretGenerator: readonly [{ readonly name: string; readonly files: readonly string[] }]
  readonly images: readonly { readonly name: string }[]
}
/** Of the first pod, as Kubernetes fills it in: `$(NAME)` is a variable that stands before. */
const FIRST_POD: Readonly<Record<string, string>> = { 'metadata.name': 'guts-0', 'metadata.namespace': 'guts' }

function environmentOf(env: readonly EnvironmentVariable[]): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const { name, value = '', valueFrom } of env) {
    environment[name] =
      valueFrom === undefined
        ? value.replace(/\$\((\w+)\)/g, (reference, other: string) => environment[other] ?? reference)
        : (FIRST_POD[valueFrom.fieldRef.fieldPath] ?? '')
  }
  return environment
}

const configOf = (environment: Readonly<Record<string, string>>) =>
  loadConfig({ environment: { ...environment, GUTS_PRIVATE_KEY_FILE: undefined }, requirePrivateKey: false }).config
const environment = environmentOf(container.env)
const config = configOf(environment)
const portOf = (name: string): number | undefined => container.ports.find((port) => port.name === name)?.containerPort

interface ServiceSpec {
  readonly type?: string
  readonly clusterIP?: string
  readonly selector: Readonly<Record<string, string>>
  readonly ports: readonly { readonly targetPort: string }[]
}

const SERVICES = ['guts', 'guts-metrics', 'guts-peers'].map(
  (name) => [name, specOf('Service', name) as ServiceSpec] as const,
)

describe('each manifest', () => {
  it.each(manifests.map((one) => [`${one.kind} ${one.metadata.name}`, one] as const))('%s is valid', (_, one) => {
    expect(complaintsOf(one)).toEqual([])
  })

  it.each([
    { mistake: 'a field that is misspelt', from: 'readinessProbe:', to: 'readynessProbe:' },
    { mistake: 'a field in the wrong place', from: 'fsGroup: 1000', to: 'readOnlyRootFilesystem: true' },
    { mistake: 'a value of the wrong type', from: 'containerPort: 8080', to: 'containerPort: "http"' },
    { mistake: 'a value that is missing', from: '        - name: guts\n', to: '        - tty: false\n' },
  ])('with $mistake would not be', ({ from, to }) => {
    const text = read('statefulset.yaml')
    expect(text).toContain(from)
    expect(complaintsOf(parse(text.replace(from, to)) as Manifest)).not.toEqual([])
  })

  it('is among the resources', () => {
    expect([...kustomization.resources].sort()).toEqual(files)
  })
})

describe('the pod', () => {
  it('has the ports and settings of a node, and the key from the secret', () => {
    const ports = [config.apiAddress.port, config.metricsAddress.port, config.p2pAddress.port]
    expect(['api', 'internal', 'p2p'].map(portOf)).toEqual(ports)
    const [{ name: secret, files: keys }] = kustomization.secretGenerator
    expect(pod.spec.volumes).toContainEqual({ name: 'key', secret: expect.objectContaining({ secretName: secret }) })
    const mount = container.volumeMounts.find(({ name }) => name === 'key')
    expect(environment['GUTS_PRIVATE_KEY_FILE']).toBe(`${mount?.mountPath}/${keys[0]?.split('=')[0]}`)
    expect(kustomization.images.map(({ name }) => name)).toContain(container.image)
  })

  it.each(['startup', 'readiness', 'liveness'] as const)('has a %s probe on the internal listener', (probe) => {
    const { path, port } = container[`${probe}Probe`]?.httpGet ?? {}
    expect(port).toBe('internal')
    const suffix = { startup: 'startup', readiness: 'ready', liveness: 'live' }[probe]
    expect(path).toBe(`/health/${suffix}`)
    const routes = healthRoutes(() => {
      throw new Error('Not asked')
    }, '')
    expect(routes.map((route) => route.path)).toContain(path)
  })

  it('is given more time to end than the node takes', () => {
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(endMsMax(config) / 1_000)
  })

  it('is known to other nodes by a name that stays when its address changes', () => {
    const { serviceName } = specOf('StatefulSet', 'guts') as { serviceName: string }
    const { clusterIP, ports } = specOf('Service', serviceName) as ServiceSpec
    // Only of a service without an address has each pod a name (Kubernetes, "StatefulSet", "Stable Network ID").
    expect(clusterIP).toBe('None')
    expect(ports).toEqual([{ name: 'p2p', port: config.p2pAddress.port, targetPort: 'p2p' }])
    const { namespace } = kustomization
    expect(FIRST_POD['metadata.namespace']).toBe(namespace)
    expect(config.announceAddresses.map(String)).toEqual([
      `/dns4/guts-0.${serviceName}.${namespace}.svc.cluster.local/tcp/9000`,
    ])
  })

  it('takes the settings behind an Ingress that are ready to be used', () => {
    const text = read('statefulset.yaml').replace(/^( +)# (- name: GUTS_| {2}value: )/gm, '$1$2')
    const behind = parse(text) as Manifest & { readonly spec: { readonly template: Pod } }
    expect(complaintsOf(behind)).toEqual([])
    const { env } = behind.spec.template.spec.containers[0]
    const added = env.filter(({ name }) => !(name in environment)).map(({ name }) => name)
    expect(added).toEqual(['GUTS_PUBLIC_URL', 'GUTS_TRUSTED_PROXIES'])
    const { publicUrl, trustedProxies } = configOf(environmentOf(env))
    expect(publicUrl).toMatch(/^https:/)
    expect(trustedProxies).toHaveLength(1)
    for (const name of added) expect(read('services.yaml')).toContain(name)
  })

  it('may do nothing that it need not', () => {
    expect(pod.spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })
})

describe('metrics and health', () => {
  it('are reached through their own service, from inside the cluster only', () => {
    const reaching = SERVICES.filter(([, { ports }]) => ports.some(({ targetPort }) => targetPort === 'internal'))
    expect(reaching.map(([name, { type }]) => [name, type])).toEqual([['guts-metrics', 'ClusterIP']])
    const { ingress } = specOf('NetworkPolicy', 'guts') as {
      ingress: { from?: object[]; ports: { port: string }[] }[]
    }
    const allowed = ingress.filter(({ ports }) => ports.some(({ port }) => port === 'internal'))
    // No address outside the cluster matches a selector of namespaces.
    expect(allowed).toEqual([{ from: [{ namespaceSelector: {} }], ports: [{ port: 'internal' }] }])
  })

  it.each(SERVICES)('%s finds the pod, and a port that it has', (_, { selector, ports }) => {
    expect(pod.metadata.labels).toMatchObject(selector)
    for (const { targetPort } of ports) expect(portOf(targetPort), targetPort).toBeDefined()
  })
})

const KUBECTL = toolThere('kubectl')

it.skipIf(KUBECTL === undefined)('all of it comes together, where kubectl is there', async () => {
  using folder = temporaryFolder('k8s')
  for (const file of [...files, KUSTOMIZATION]) cpSync(join(FOLDER, file), join(folder.path, file))
  const built = async () => run(KUBECTL ?? '', ['kustomize', folder.path])
  // Without a key there is nothing to apply.
  expect((await built()).exitCode).not.toBe(0)
  writeFileSync(join(folder.path, 'private-key'), `${'5ecd'.repeat(16)}\n`)
  const { exitCode, stdout, stderr } = await built()
  expect(exitCode, stderr).toBe(0)
  const all = parseAllDocuments(stdout).map((one) => one.toJS() as Manifest)
  expect(all).toHaveLength(manifests.length + 1)
  const secret = all.find(({ kind }) => kind === 'Secret')
  expect(secret?.metadata.name).toMatch(/^guts-key-/)
  expect(JSON.stringify(all)).toContain(`"secretName":"${secret?.metadata.name}"`)
})
