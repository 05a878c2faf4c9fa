import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FIELDS } from './fields.ts'
import { configJsonSchema, configReference, embedReference } from './reference.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('the reference', () => {
  it('in README.md is the one of now; else run: npm run -s guts -- config docs --write README.md', () => {
    const text = readFileSync(join(ROOT, 'README.md'), 'utf8')
    expect(embedReference(text)).toBe(text)
  })

  it('has one line for every variable, with its default and its range', () => {
    const lines = configReference().split('\n')
    for (const { env } of FIELDS) expect(lines.filter((line) => line.startsWith(`| \`${env}\` `))).toHaveLength(1)
    expect(lines).toContainEqual(
      expect.stringMatching(/GUTS_MAX_CONNECTIONS` \| `10000` \| a whole number from 1 to 10000/),
    )
  })

  it('is put between its marks and nowhere else', () => {
    expect(embedReference('no marks')).toBeUndefined()
    const page = 'a\n<!-- config:begin -->\nold\n<!-- config:end -->\nb\n'
    expect(embedReference(page)).toBe(page.replace('old\n', configReference()))
  })
})

describe('the JSON Schema', () => {
  it('knows every key of a file, with its limits, and no other', () => {
    const schema = configJsonSchema()
    expect(schema).toMatchObject({ additionalProperties: false })
    expect(Object.keys(schema['properties'] as object)).toEqual(FIELDS.map(({ key }) => key))
    expect(schema['properties']).toMatchObject({
      request_timeout: { type: 'integer', minimum: 1, maximum: 3600, default: 30 },
      log_level: { enum: ['trace', 'debug', 'info', 'warn', 'error'] },
      bootstrap_peers: { type: 'array', maxItems: 1000, items: { type: 'string' } },
    })
  })
})
