import { readFile, writeFile } from 'node:fs/promises'
import * as z from 'zod'
import { configReference, embedReference, REFERENCE_BEGIN, REFERENCE_END } from '../config/reference.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit.ts'

export const configDocs = defineCommand({
  name: 'config docs',
  summary: 'Print the reference of all settings as a Markdown table',
  examples: ['guts config docs', 'guts config docs --write README.md'],
  configuration: 'none',
  options: [{ flags: '--write <page>', help: 'put it into this page, between its marks, instead' }],
  args: z.strictObject({ write: z.string().min(1).optional() }),
  async run({ write }, { out }) {
    if (write === undefined) {
      const markdown = configReference()
      out.result({ markdown }, markdown.trimEnd())
      return EXIT.fine
    }
    const page = embedReference(await readFile(write, 'utf8'))
    if (page === undefined) {
      out.failure('no_marks', `${write} has no ${REFERENCE_BEGIN} before a ${REFERENCE_END}`)
      return EXIT.failed
    }
    await writeFile(write, page)
    out.result({ page: write }, `The reference in ${write} is the one of now`)
    return EXIT.fine
  },
})
