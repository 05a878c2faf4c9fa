/** What the tests in containers are given by the command that runs them: an engine, and images built beforehand. */
import { GenericContainer } from 'testcontainers'
import { type CommandResult, run } from '../support/command-line.ts'
import { LABEL } from './engine.ts'

/** Names of the variables that the command sets for the tests. */
export const RUN_ID = 'INTEGRATION_RUN'
export const CLIENT = 'INTEGRATION_CLIENT'

export const IMAGES = ['node', 'prometheus', 'toxiproxy'] as const
export type ImageName = (typeof IMAGES)[number]

function given(variable: string): string {
  const value = process.env[variable]
  if (value === undefined) throw new Error(`${variable} is not set: these tests are run by npm run integration`)
  return value
}

export function imageNamed(image: ImageName): string {
  return `localhost/guts-${image}:${given(RUN_ID)}`
}

/** A container of one of our images, which the engine forgets with the run. */
export class RunContainer extends GenericContainer {
  constructor(image: ImageName) {
    super(imageNamed(image))
    this.withLabels({ [LABEL]: given(RUN_ID) })
  }

  /** Nothing can be written but to volumes and memory. */
  withReadOnlyRoot(): this {
    this.hostConfig.ReadonlyRootfs = true
    return this
  }
}

/** The engine's own client: for what is done to containers from outside. @returns what it printed */
export async function engine(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await tryEngine(...args)
  if (exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${exitCode}: ${stderr}`)
  return stdout.trimEnd()
}

/** What a container wrote, to stdout and stderr alike. */
export async function logsOf(id: string): Promise<string> {
  const { stdout, stderr } = await tryEngine('logs', id)
  return stdout + stderr
}

/** The same, whatever its exit code. */
export function tryEngine(...args: readonly string[]): Promise<CommandResult> {
  const [client, ...options] = JSON.parse(given(CLIENT)) as [string, ...string[]]
  const { DOCKER_HOST, CONTAINERS_CONF, HOME = '/' } = process.env
  const environment = { HOME, ...(DOCKER_HOST && { DOCKER_HOST }), ...(CONTAINERS_CONF && { CONTAINERS_CONF }) }
  return run(client, [...options, ...args], environment)
}

let networks = 0

/** A network in which containers find each other by name. */
export async function createNetwork(): Promise<AsyncDisposable & { readonly name: string }> {
  const name = `guts-${given(RUN_ID)}-${process.pid}-${networks++}`
  await engine('network', 'create', '--label', `${LABEL}=${given(RUN_ID)}`, name)
  return { name, [Symbol.asyncDispose]: async () => void (await engine('network', 'rm', '--force', name)) }
}
