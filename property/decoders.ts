/** Which exported decoders `src/git` has, and what holds each of them: a fuzz target that drives it, or a property. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FuzzTarget } from '../fuzz/target.ts'

export interface Decoder {
  /** From the project's folder. */
  readonly file: string
  readonly name: string
  /** As the fuzzer sees them: a function's own name; a class by its name or one of its methods. */
  readonly functions: readonly string[]
}

/** How functions that read what somebody else wrote are called here. */
const FUNCTION =
  /^export (?:(?:async )?function\*?|const) ((?:parse|decode|read|apply|check|forEach|inflate|index)[A-Z]\w*)/gm
const CLASS = /^export (?:abstract )?class (\w+)[^\n]*\{\n(.*?)^\}/gms
/** A class is a decoder where it is made of bytes or text, or is fed with them. */
const FED =
  /^ {2}(?:(?:private )?constructor|static \w+|take|argument|push)\(\s*\w+: (?:Buffer|Uint8Array|string|\w*Source|PktLine)\b/m
const METHOD = /^ {2}(?:static )?#?(\w+)\(/gm

/** @param root the project's folder */
export function findDecoders(root: string): Decoder[] {
  const files = globSync('src/git/**/*.ts', { cwd: root }).filter((file) => !/(\.test|\/testing)\.ts$/.test(file))
  return files.sort().flatMap((file) => decodersOf(file, readFileSync(join(root, file), 'utf8')))
}

export function decodersOf(file: string, text: string): Decoder[] {
  const functions = Array.from(text.matchAll(FUNCTION), ([, name = '']) => ({ file, name, functions: [name] }))
  const classes = Array.from(text.matchAll(CLASS), ([, name = '', body = '']) => ({ name, body }))
  const fed = classes.filter(({ body }) => FED.test(body))
  return [
    ...functions,
    ...fed.map(({ name, body }) => {
      return { file, name, functions: [name, ...Array.from(body.matchAll(METHOD), ([, method = '']) => method)] }
    }),
  ]
}

export function isDriven({ file, functions }: Decoder, targets: readonly Pick<FuzzTarget, 'drives'>[]): boolean {
  return targets.some(({ drives }) => drives[file]?.some((name) => functions.includes(name)))
}

/** @param text of a file of properties: what it imports by name, it means to hold; but for types, which run nothing */
export function isImported({ file, name }: Decoder, text: string): boolean {
  const imports = text.matchAll(/^import \{([^}]*)\} from '\.\.\/([^']+)'/gm)
  return Array.from(imports).some(
    ([, names = '', from]) => from === file && names.split(',').some((one) => one.trim() === name),
  )
}
