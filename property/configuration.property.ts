import assert from 'node:assert/strict'
import { distance } from 'fastest-levenshtein'
import { fc } from '@fast-check/vitest'
import { stringify as toToml } from 'smol-toml'
import { afterAll } from 'vitest'
import { stringify as toYaml } from 'yaml'
import * as z from 'zod'
import { type Field, FIELDS } from '../src/config/fields.ts'
import { loadConfig, type LoadedConfig } from '../src/config/load.ts'
import { problemsOf, TestFiles } from '../src/config/testing.ts'
import { prop } from './prop.ts'

const files = new TestFiles()
afterAll(() => files[Symbol.dispose]())

const PEERS = [
  '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp',
  '12D3KooWHHzSeKaY8xuZVzkLbKFfvNgPPeKhFBGrMbNzbm5akpqu',
]
const TCP = ['/ip4/192.0.2.1/tcp/9000', '/ip6/2001:db8::1/tcp/9', '/dns4/node.example.org/tcp/65535']

/** Ports in ranges of their own, as no two listeners may have the same. */
const address = (from: number) =>
  fc
    .tuple(fc.constantFrom('127.0.0.1', '0.0.0.0', '[::1]', 'localhost'), fc.nat(19_999))
    .map(([host, port]) => `${host}:${from + port}`)
const listOf = (items: readonly string[]) => fc.uniqueArray(fc.constantFrom(...items), { minLength: 1 })

type Value = string | number | readonly string[]

/** Of texts and lists; what numbers and choices may be, their schemas say. */
const TEXTS: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  api_addr: address(1),
  p2p_addr: address(20_001),
  metrics_addr: address(40_001),
  private_key: fc.stringMatching(/^[0-9a-f]{64}$/),
  data_dir: fc.stringMatching(/^[a-zA-Z0-9é ./_-]{1,30}$/).filter((path) => path.trim() === path && path !== ''),
  default_branch: fc.constantFrom('main', 'trunk', 'release/1.x', 'a+b_c'),
  public_url: fc.constantFrom('https://git.example.org', 'http://127.0.0.1:8080/git/', 'https://example.org/a/b'),
  cors_origins: listOf(['https://example.org', 'http://localhost:3000', 'https://a.example.org:8443']),
  trusted_proxies: listOf(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']),
  bootstrap_peers: listOf(PEERS.flatMap((peer) => TCP.map((one) => `${one}/p2p/${peer}`))),
  allowed_peers: listOf(PEERS),
  announce_addrs: listOf(TCP),
}
/** A file that must exist: its own tests make one. */
const LEFT_OUT = new Set(['private_key_file'])
const TRIED = FIELDS.filter(({ key }) => !LEFT_OUT.has(key))

function valueOf(field: Field): fc.Arbitrary<Value> {
  const json = z.toJSONSchema(field.schema, { io: 'input' })
  if (json.type === 'integer') return fc.integer({ min: json.minimum ?? 0, max: json.maximum ?? 0 })
  if (json.enum !== undefined) return fc.constantFrom(...(json.enum as string[]))
  const known = TEXTS[field.key]
  assert.ok(known, `${field.key} is a new setting: say here what it may be`)
  return known
}

/** Some of the settings, each with a value that it may have. */
const settings = fc.record(Object.fromEntries(TRIED.map((field) => [field.key, valueOf(field)])), {
  requiredKeys: [],
  noNullPrototype: true,
}) as fc.Arbitrary<Readonly<Record<string, Value>>>

const asText = (value: Value): string => (typeof value === 'object' ? value.join(',') : `${value}`)
const asVariables = (given: Readonly<Record<string, Value>>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [`GUTS_${key.toUpperCase()}`, asText(value)]))

const WAYS: Readonly<Record<string, (given: Readonly<Record<string, Value>>) => LoadedConfig>> = {
  toml: (given) => fromFile('guts.toml', toToml(given)),
  yaml: (given) => fromFile('guts.yaml', toYaml(given)),
  environment: (given) => loadConfig({ environment: asVariables(given), requirePrivateKey: false }),
  flags: (given) => loadConfig({ environment: {}, flags: given, requirePrivateKey: false }),
}

function load(way: string, given: Readonly<Record<string, Value>>): LoadedConfig {
  const by = WAYS[way]
  assert.ok(by)
  return by(given)
}

function fromFile(name: string, content: string): LoadedConfig {
  return loadConfig({ environment: {}, file: files.write(name, content), requirePrivateKey: false })
}

prop([settings])('a valid configuration is the same from a file, the environment or flags', (given) => {
  const [first, ...others] = Object.keys(WAYS).map((way) => ({ way, config: load(way, given).config }))
  for (const other of others) assert.deepEqual(other.config, first?.config, other.way)
})

prop([settings, fc.constantFrom(...Object.keys(WAYS)), fc.constantFrom('toml', 'yaml', 'flags')])(
  'what is printed of a configuration makes the same configuration again',
  (given, way, again) => {
    const { config, entries } = load(way, given)
    const printed = entries.flatMap(({ field, value }) =>
      value === undefined ? [] : [[field.key, value as Value] as const],
    )
    // An empty list is how "none" is printed, which a flag cannot say.
    const kept = again === 'flags' ? printed.filter(([, value]) => value.toString() !== '') : printed
    assert.deepEqual(load(again, Object.fromEntries(kept)).config, config)
  },
)

const typo = fc.tuple(
  fc.constantFrom(...TRIED),
  fc.nat(),
  fc.constantFrom('drop', 'double', 'swap', 'change'),
  fc.constantFrom('a', 'e', 's', 'x', '_'),
)

function mistype(key: string, place: number, how: string, letter: string): string {
  const at = place % key.length
  if (how === 'drop') return key.slice(0, at) + key.slice(at + 1)
  if (how === 'double') return key.slice(0, at + 1) + key.slice(at)
  if (how === 'change') return key.slice(0, at) + letter + key.slice(at + 1)
  return key.slice(0, at) + (key[at + 1] ?? '') + key.slice(at, at + 1) + key.slice(at + 2)
}

prop([settings, fc.array(typo, { minLength: 1, maxLength: 4 }), fc.constantFrom('toml', 'environment', 'flags')])(
  'every key that does not exist is named, with one that it is near to',
  (given, typos, way) => {
    const known = new Set(FIELDS.map(({ key }) => key))
    const wrong = new Set(
      typos
        .map(([field, place, how, letter]) => mistype(field.key, place, how, letter))
        .filter((key) => !known.has(key)),
    )
    const all = { ...given, ...Object.fromEntries(Array.from(wrong, (key) => [key, '1'])) }
    const problems =
      way === 'toml'
        ? problemsOf({}, { file: files.write('wrong.toml', toToml(all)) })
        : way === 'flags'
          ? problemsOf({}, { flags: all })
          : problemsOf(asVariables(all))
    const spell = (key: string): string => (way === 'environment' ? `GUTS_${key.toUpperCase()}` : key)
    assert.deepEqual(problems.map(({ name }) => name).sort(), Array.from(wrong, spell).sort())
    for (const { name, nearest } of problems) {
      assert.ok(nearest !== undefined && distance(name, nearest) <= 2, `${name}: ${nearest}`)
      assert.ok(FIELDS.some(({ key }) => spell(key) === nearest))
    }
  },
)

const SECRET = 'sEcReT-0123456789'
prop([
  settings,
  fc.uniqueArray(fc.constantFrom(...TRIED.filter(({ key }) => key !== 'data_dir')), { minLength: 1, maxLength: 6 }),
  fc.constantFrom('toml', 'environment', 'flags'),
])('every wrong value is named, all at once, and none is quoted', (given, fields, way) => {
  const wrong = Object.fromEntries(fields.map(({ key }) => [key, `${SECRET} `]))
  const all = { ...given, ...wrong }
  const problems =
    way === 'toml'
      ? problemsOf({}, { file: files.write('wrong.toml', toToml(all)) })
      : way === 'flags'
        ? problemsOf({}, { flags: all })
        : problemsOf(asVariables(all))
  const named = new Set(problems.map(({ name }) => name.replace(/^GUTS_/, '').toLowerCase()))
  assert.deepEqual(Array.from(named).sort(), Object.keys(wrong).sort())
  assert.ok(!JSON.stringify(problems).includes(SECRET))
})
