/** Files in the syntax of git's configuration, as `.gitmodules` is: what fsck.property.ts compares with git, from inside. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { type CharSign, parseConfig } from '../src/git/fsck/config-parser.ts'
import { prop } from './prop.ts'

type Event = readonly [section: string] | readonly [key: string, value: string | undefined]

function read(text: string, sign: CharSign): { readonly events: readonly Event[]; readonly isWhole: boolean } {
  const events: Event[] = []
  const isWhole = parseConfig(Buffer.from(text, 'latin1'), sign, {
    onSection: (name) => events.push([name]),
    onValue: (key, value) => events.push([key, value]),
  })
  return { events, isWhole }
}

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/)
/** Without the byte that git reads in two ways, see config-parser.ts. */
const byte = fc.oneof(
  fc.constantFrom('"', '\\', '#', ';', ' ', '\t', '\r', '=', ']'),
  fc.integer({ min: 1, max: 0xfe }).map((code) => String.fromCharCode(code)),
)
const text = fc
  .array(
    byte.filter((one) => one !== '\n'),
    { maxLength: 20 },
  )
  .map((all) => all.join(''))
/** Words with space between them need no quotes, nor any byte of them an escape. */
const PLAIN = /^[a-z]+( +[a-z]+)*$/
const value = fc.option(
  fc.oneof(
    text.filter((one) => !one.includes('\r')),
    fc.stringMatching(PLAIN),
  ),
  { nil: undefined },
)
const sections = fc.array(
  fc.tuple(name, fc.option(text, { nil: undefined }), fc.array(fc.tuple(name, value), { maxLength: 4 })),
  {
    maxLength: 4,
  },
)
const LINE_ENDS = ['\n', '\r\n', ' # a comment\n', '\n\n; another one\n']

/** In quotes two bytes are escaped; in a value, a tabulator may be written as a letter. */
const quoted = (whole: string): string => `"${whole.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
const spelt = (whole: string): string => (PLAIN.test(whole) ? whole : quoted(whole).replaceAll('\t', '\\t'))

prop([sections, fc.constantFrom(...LINE_ENDS), fc.constantFrom<CharSign>('signed', 'unsigned')])(
  'a file of configuration is read as it was written, whatever ends its lines',
  (written, lineEnd, sign) => {
    const lines = written.flatMap(([section, sub, keys]) => [
      `[${section}${sub === undefined ? '' : ` ${quoted(sub)}`}]`,
      ...keys.map(([key, one]) => (one === undefined ? key : `\t${key} = ${spelt(one)}`)),
    ])
    // A key alone ends with its line.
    const end = lines.some((line) => !/[="\]]/.test(line)) ? '\n' : lineEnd
    const expected = written.flatMap(([section, sub, keys]): Event[] => [
      [section.toLowerCase() + (sub === undefined ? '' : `.${sub}`)],
      ...keys.map(([key, one]): Event => [key.toLowerCase(), one]),
    ])
    assert.deepEqual(read(lines.map((line) => line + end).join(''), sign), { events: expected, isWhole: true })
  },
)

const pieces = fc.constantFrom(
  '[a]',
  '[a "b"]',
  '[',
  ']',
  '"',
  '\\',
  '\n',
  '\r',
  '=',
  'k',
  ' ',
  '#',
  '\0',
  '\x80',
  '-',
  'k = v\n',
)

prop([fc.array(fc.oneof(pieces, byte), { maxLength: 30 }), fc.nat()])(
  'any bytes are configuration up to a place, and what is read until there does not depend on what follows',
  (all, place) => {
    const whole = all.join('')
    const { events, isWhole } = read(whole, 'signed')
    // Both kinds of processors agree where the one byte is missing.
    assert.deepEqual(read(whole, 'unsigned'), { events, isWhole })
    // What is in quotes or escaped may go on in the next line, and CR LF is one end of a line.
    if (/[\\"]|\r$/.test(whole)) return
    const lines = whole.split('\n')
    const first = lines.slice(0, place % lines.length).join('\n')
    const { events: before } = read(`${first}\n`, 'signed')
    assert.deepEqual(before, events.slice(0, before.length))
    const expected = isWhole ? [...events, ['next'], ['key', 'value']] : events
    assert.deepEqual(read(`${whole}\n[next]\nkey = value\n`, 'signed').events, expected)
  },
)
