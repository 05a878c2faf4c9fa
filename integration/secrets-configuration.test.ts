/** I9 and I12: a private key in the wrong place of the configuration is refused, and shown nowhere (Done when 4). */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FIELDS } from '../src/config/fields.ts'
import { gutsHere } from './support/command-here.ts'
import { guts } from './support/command-line.ts'
import { temporaryFolder } from './support/git.ts'
import { findSecrets } from './support/secret-search.ts'

const KEY = createHash('sha256').update('a key in the wrong place').digest('hex')
const COLLECTOR_SECRET = 'C0llector S3cret/Value'
/** Said back: what nobody needs to hide. */
const HARMLESS = 'harmless_marker'

interface Place {
  readonly name: string
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Extension and content. */
  readonly file?: readonly [string, string]
}

const WITH_KEY = { GUTS_PRIVATE_KEY: KEY }

const PLACES: readonly Place[] = [
  { name: 'where it belongs', environment: WITH_KEY },
  { name: 'where it belongs, among mistakes', environment: { ...WITH_KEY, GUTS_LOG_LEVEL: 'loud', GUTS_X: KEY } },
  { name: 'too short', environment: { GUTS_PRIVATE_KEY: KEY.slice(1) } },
  { name: 'with a space', environment: { GUTS_PRIVATE_KEY: ` ${KEY}` } },
  { name: 'as the name of its file', environment: { GUTS_PRIVATE_KEY_FILE: KEY } },
  { name: 'twice', environment: { ...WITH_KEY, GUTS_PRIVATE_KEY_FILE: KEY } },
  { name: 'as the configuration file', environment: { GUTS_CONFIG: `${KEY}.toml` } },
  { name: 'as --config', args: ['--config', `${KEY}.yaml`] },
  { name: 'in an unknown variable', environment: { GUTS_PRIVAT_KEY: KEY } },
  { name: 'in the name of a variable', environment: { [`GUTS_${KEY}`]: 'x', [`GUTS_PRIVATE_KEY_${KEY}`]: KEY } },
  ...FIELDS.map(({ env }) => ({ name: `in ${env}`, environment: { [env]: KEY } })),
  ...FIELDS.flatMap(({ flag }) => (flag === undefined ? [] : [{ name: `as ${flag}`, args: [flag, KEY] }])),
  { name: 'as an unknown flag', args: ['--private-key', KEY] },
  { name: 'in an unknown flag', args: [`--private-key=${KEY}`] },
  { name: 'as a flag', args: [`--${KEY}`] },
  { name: 'as an argument', args: [KEY] },
  { name: 'in a TOML file', file: ['toml', `private_key = "${KEY}"\n`] },
  { name: 'in a TOML file under another name', file: ['toml', `privatekey = "${KEY}"\nlog_level = "${KEY}"\n`] },
  { name: 'in a TOML file as a name', file: ['toml', `${KEY} = 1\n[${KEY}x]\n${KEY} = "${KEY}"\n`] },
  { name: 'in a TOML file without quotes', file: ['toml', `private_key = ${KEY}\n`] },
  { name: 'in a TOML file on its own', file: ['toml', `${KEY}\n`] },
  { name: 'in a TOML file twice', file: ['toml', `${KEY} = 1\n${KEY} = 2\n`] },
  { name: 'in a YAML file', file: ['yaml', `private_key: ${KEY}\n`] },
  { name: 'in a YAML file under another name', file: ['yaml', `privatekey: ${KEY}\nbootstrap_peers: [${KEY}]\n`] },
  { name: 'in a YAML file as a name', file: ['yaml', `${KEY}: ${KEY}\n`] },
  { name: 'in a YAML file on its own', file: ['yaml', `${KEY}\n`] },
  { name: 'in a YAML file twice', file: ['yaml', `${KEY}: 1\n${KEY}: 2\n`] },
  { name: 'in a YAML file that is none', file: ['yaml', `private_key: "${KEY}\nlog_level: [${KEY}\n`] },
  { name: 'in a YAML file as an alias', file: ['yaml', `private_key: *${KEY}\n`] },
  { name: 'in a YAML file as a tag', file: ['yaml', `private_key: !${KEY} x\n`] },
]

const COMMANDS = [
  ['config', 'check'],
  ['config', 'check', '--json'],
  ['config', 'print'],
  ['config', 'print', '--json'],
  ['token', 'create'],
  ['repo', 'list', '--json'],
]

/** Each of these is a process of its own: what stands in one place is said in the same words as in the next. */
const STARTED: readonly Place[] = [
  { name: 'in every variable', environment: Object.fromEntries(FIELDS.map(({ env }) => [env, KEY])) },
  ...PLACES.filter(({ name }) =>
    /unknown flag|as an argument|as a name|name of a variable|on its own|mistakes/.test(name),
  ),
]

/** `guts start` never gets as far as to open anything: two listeners want one port. */
const NO_START = { GUTS_API_ADDR: '127.0.0.1:1', GUTS_P2P_ADDR: '127.0.0.1:1' }

const secrets = { key: KEY, 'most of the key': KEY.slice(8, -8) }

function prepare({ args = [], file }: Place, folder: string): string[] {
  if (file === undefined) return [...args]
  const path = join(folder, `guts.${file[0]}`)
  writeFileSync(path, file[1])
  return [...args, '--config', path]
}

describe('a private key in the configuration', () => {
  it.for([...PLACES])('$name is not shown by a command', async (place) => {
    using folder = temporaryFolder('configuration')
    const more = prepare(place, folder.path)
    // Nothing may be made where the test happens to run.
    const environment = { GUTS_DATA_DIR: join(folder.path, 'data'), ...place.environment }
    for (const command of COMMANDS) {
      if (command[0] === 'repo' && /data.dir/i.test(place.name)) continue
      // In this process: hundreds of runs would take minutes otherwise.
      const { stdout, stderr } = await gutsHere([...command, ...more], environment)
      const text = `${stdout}${stderr}`
      expect(findSecrets(secrets, [{ name: command.join(' '), text }])).toEqual([])
      // Something was said, or nothing was looked at.
      expect(text).not.toBe('')
    }
  })

  it('is not shown by a start', { timeout: 120_000 }, async () => {
    for (const place of STARTED) {
      using folder = temporaryFolder('configuration')
      const more = prepare(place, folder.path)
      const { exitCode, stdout, stderr } = await guts(['start', ...more], { ...place.environment, ...NO_START })
      expect([2, 78]).toContain(exitCode)
      expect(
        `${stdout}${stderr}`
          .trim()
          .split('\n')
          .map((line) => typeof JSON.parse(line)),
      ).toContain('object')
      expect(findSecrets(secrets, [{ name: place.name, text: `${stdout}${stderr}` }])).toEqual([])
    }
  })

  it('harmless names are said back', async () => {
    const { exitCode, stderr } = await guts(['config', 'check'], { [`GUTS_${HARMLESS}`]: 'x' })
    expect(exitCode).toBe(78)
    expect(findSecrets({ name: HARMLESS }, [{ name: 'output', text: stderr }])).not.toEqual([])
  })

  it('credentials of the collector are not shown by a start that fails', async () => {
    const environment = {
      ...WITH_KEY,
      GUTS_DATA_DIR: '/proc/nowhere',
      GUTS_LOG_LEVEL: 'trace',
      OTEL_TRACES_EXPORTER: COLLECTOR_SECRET,
      OTEL_EXPORTER_OTLP_HEADERS: `x-key=${encodeURIComponent(COLLECTOR_SECRET)},${COLLECTOR_SECRET}`,
    }
    const { exitCode, stdout, stderr } = await guts(['start'], environment)
    expect(exitCode).toBe(1)
    expect(stdout).toContain('/proc/nowhere')
    expect(
      findSecrets({ key: KEY, collector: COLLECTOR_SECRET }, [{ name: 'log', text: `${stdout}${stderr}` }]),
    ).toEqual([])
  })
})
