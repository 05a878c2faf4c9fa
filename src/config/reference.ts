/** What people and editors read about the configuration, made from the schema's entries (DESIGN §4.2). */
import * as z from 'zod'
import { ENV_PREFIX, FIELDS, type Field } from './fields.ts'
import { FILE_VARIABLE } from './sources.ts'

export const REFERENCE_BEGIN = '<!-- config:begin -->'
export const REFERENCE_END = '<!-- config:end -->'

/** The reference as a Markdown table, one line a variable. */
export function configReference(): string {
  const rows = FIELDS.map((field) => [`\`${field.env}\``, defaultCell(field), ruleCell(field), field.description])
  const fileRow = [
    `\`${FILE_VARIABLE}\``,
    'none',
    'a path that ends in .toml, .yaml or .yml',
    `A file of settings. Its keys are these names in lower case, without \`${ENV_PREFIX}\`. \`--config\` names one too.`,
  ]
  return [['variable', 'default', 'value', 'meaning'], ['---', '---', '---', '---'], fileRow, ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`)
    .join('')
}

/** JSON Schema of a configuration file: for editors, and for whoever generates such files. */
export function configJsonSchema(): Record<string, unknown> {
  const properties = FIELDS.map((field) => [field.key, propertyOf(field)] as const)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration file of guts',
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  }
}

/** @returns the page with the reference of now between its marks, or undefined if it has none */
export function embedReference(page: string): string | undefined {
  const begin = page.indexOf(REFERENCE_BEGIN)
  const end = page.indexOf(REFERENCE_END)
  if (begin === -1 || end < begin) return undefined
  return `${page.slice(0, begin + REFERENCE_BEGIN.length)}\n${configReference()}${page.slice(end)}`
}

function defaultCell({ defaultValue, defaultText }: Field): string {
  if (defaultText !== undefined) return defaultText
  if (defaultValue === undefined || (Array.isArray(defaultValue) && defaultValue.length === 0)) return 'none'
  return `\`${String(defaultValue)}\``
}

function ruleCell({ rule, unit, kind }: Field): string {
  const separated = kind === 'list' ? '; separated by commas, in a file a list' : ''
  return `${rule}${unit === undefined ? '' : ` (${unit})`}${separated}`
}

function propertyOf(field: Field): Record<string, unknown> {
  const {
    type,
    minimum,
    maximum,
    enum: values,
    items,
    maxItems,
    default: defaultValue,
  } = z.toJSONSchema(field.schema, {
    io: 'input',
  })
  const description = `${field.description} ${capitalise(ruleCell({ ...field, kind: 'text' }))}.`
  const keywords = { type, description, default: defaultValue, enum: values, minimum, maximum, items, maxItems }
  return Object.fromEntries(Object.entries(keywords).filter(([, value]) => value !== undefined))
}

function capitalise(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1)
}
