/** Reads a configuration file into the values of its keys, each with the line it stands at. */
import { readFileSync, statSync } from 'node:fs'
import { extname } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { errorCodeOf } from '../errors.ts'
import type { ConfigProblem } from './error.ts'

const FILE_BYTES_MAX = 2 ** 20

export interface FileValue {
  readonly key: string
  readonly value: unknown
  readonly line: number | undefined
}

export type FileContent =
  | { readonly values: readonly FileValue[] }
  | { readonly problem: { readonly line?: number; readonly message: string } }

type Reader = (text: string) => FileContent

const READERS: Readonly<Record<string, Reader>> = { '.toml': readToml, '.yaml': readYaml, '.yml': readYaml }

/** Never throws for what the operator can have caused: those are mistakes like any other. */
export function readConfigFile(path: string): FileContent {
  const extension = extname(path).toLowerCase()
  const reader = Object.hasOwn(READERS, extension) ? READERS[extension] : undefined
  if (reader === undefined) return { problem: { message: 'must end in .toml, .yaml or .yml' } }
  const text = readText(path)
  return 'message' in text ? { problem: text } : reader(text.content)
}

/** A small text file that configuration names. @param path as given: relative to the working directory */
export function readText(path: string): { content: string } | { message: string } {
  try {
    const stats = statSync(path)
    // Reading a pipe or a device could wait for ever.
    if (!stats.isFile()) return { message: 'is not a file' }
    if (stats.size > FILE_BYTES_MAX) return { message: `is larger than ${FILE_BYTES_MAX} bytes` }
    return { content: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)) }
  } catch (error) {
    const code = errorCodeOf(error) ?? String(error)
    return { message: code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not UTF-8 text' : `cannot be read (${code})` }
  }
}

/** The origin of a mistake in a file. */
export function atLine(path: string, line: number | undefined): ConfigProblem['origin'] {
  return line === undefined ? path : `${path}:${line}`
}

function readToml(text: string): FileContent {
  try {
    const values = Object.entries(parseToml(text))
    return { values: values.map(([key, value]) => ({ key, value, line: tomlLineOf(text, key) })) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // Only the first line of the message: the rest quotes the file, where a secret may stand.
    return { problem: { line: error.line, message: error.message.split('\n', 1)[0] ?? 'Invalid TOML document' } }
  }
}

/** The parser keeps no positions. All keys are at the top level, so a key stands at the start of its line. */
function tomlLineOf(text: string, key: string): number | undefined {
  const starts = [key, `"${key}"`, `'${key}'`]
  const index = text.split('\n').findIndex((line) => {
    const name = line.replace(/^\s*\[{1,2}/, '').trimStart()
    return starts.some((start) => name.startsWith(start) && /^\s*[=.\]]/.test(name.slice(start.length)))
  })
  return index === -1 ? undefined : index + 1
}

function readYaml(text: string): FileContent {
  const lines = new LineCounter()
  // Messages of the parser may quote the file, where a secret may stand: only its code is passed on.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2', schema: 'core' })
  const [error] = [...document.errors, ...document.warnings]
  if (error !== undefined) {
    return { problem: { line: lines.linePos(error.pos[0]).line, message: `Invalid YAML document: ${error.code}` } }
  }
  if (document.contents === null) return { values: [] }
  if (!isMap(document.contents)) return { problem: { line: 1, message: 'must be a mapping of keys to values' } }
  const values: FileValue[] = []
  for (const { key, value } of document.contents.items) {
    const line = isScalar(key) && key.range ? lines.linePos(key.range[0]).line : undefined
    if (!isScalar(key)) return { problem: { message: 'must have plain keys' } }
    try {
      values.push({ key: String(key.value), value: isNodeLike(value) ? value.toJS(document) : value, line })
    } catch {
      // The guard against documents that grow when their aliases are resolved.
      return { problem: { ...(line !== undefined && { line }), message: 'Invalid YAML document: too many aliases' } }
    }
  }
  return { values }
}

function isNodeLike(value: unknown): value is { toJS: (document: unknown) => unknown } {
  return typeof value === 'object' && value !== null && 'toJS' in value
}
