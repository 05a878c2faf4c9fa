import * as z from 'zod'
import { loadConfig } from '../config/load.ts'
import { redactKeys } from '../observability/redaction.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'

const HIDDEN = '[hidden]'

export const configPrint = defineCommand({
  name: 'config print',
  summary: 'Show every setting as it takes effect, and where it comes from; secrets are hidden',
  examples: ['guts config print', 'guts config print --config guts.yaml --json'],
  configuration: 'all',
  args: z.strictObject({}),
  async run(_args, { environment, configFile: file, configFlags: flags, out }) {
    const loaded = loadConfig({ environment, flags, ...(file !== undefined && { file }), requirePrivateKey: false })
    const rows = loaded.entries.map(({ field, value, origin }) => ({
      variable: field.env,
      value: field.secret === true && value !== undefined ? HIDDEN : withoutKeys(value ?? null),
      origin,
    }))
    const cells = loaded.entries.map(({ field, origin }, index) => [
      field.env,
      textOf(rows[index]?.value, field.defaultText),
      origin,
    ])
    out.result(rows, tableText(['variable', 'value', 'from'], cells))
    return EXIT.fine
  },
})

/** A key in the wrong variable is taken where any text will do. */
function withoutKeys(value: unknown): unknown {
  if (typeof value === 'string') return redactKeys(value)
  return Array.isArray(value) ? value.map(withoutKeys) : value
}

function textOf(value: unknown, defaultText: string | undefined): string {
  if (value === null || value === undefined) return defaultText === undefined ? '' : `(${defaultText})`
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.join(', ') : JSON.stringify(value)
}
