/** `docs/known-defects.md`, made of the list. */
import { join } from 'node:path'
import { ROOT } from '../../integration/support/command-line.ts'
import type { Advisory, Rebuilt } from './advisory.ts'
import { ADVISORIES } from './list.ts'
import { READERS } from './readers.ts'
import { targetsOf } from './replay.ts'

export const PAGE = join(ROOT, 'docs/known-defects.md')

export function renderPage(): string {
  const inputs = ADVISORIES.flatMap((advisory) => Object.values(advisory.inputs))
  return `# Known defects of others

What brought down other git servers and libraries, built anew by our own code (\`fuzz/advisories/lists\`) and tried on ours: ${ADVISORIES.length} defects, ${inputs.length} inputs. Each is replayed in the fuzz targets that read it, by \`npm run fuzz -- --regression\` and by \`npm test\`, where it must neither crash nor hang nor take more than its budget of memory; and each must end as it says here: accepted, or refused with that very code, which for objects is git's own (\`git help fsck\`). The fuzzer starts from them, too.

This page is made by \`node fuzz/advisories-command.ts\`; a test fails when it is stale.

| defect | of | what it was | must end as | replayed in |
|---|---|---|---|---|
${ADVISORIES.map(row).join('\n')}
`
}

function row({ name, of, defect, inputs }: Advisory): string {
  const rebuilt = Object.values(inputs)
  const targets = new Set(rebuilt.flatMap(({ reader }) => Object.keys(targetsOf(reader))))
  const where = targets.size === 0 ? 'its test alone: too large for a target' : Array.from(targets).sort().join(', ')
  return `| ${escape(name)} | ${of.join(', ')} | ${escape(defect)} | ${outcomes(rebuilt)} | ${where} |`
}

/** By reader: a code, and how many inputs end so. */
function outcomes(inputs: readonly Rebuilt[]): string {
  const byEnd = Map.groupBy(inputs, ({ reader, outcome }) => `${READERS[reader].reads}: \`${outcome}\``)
  return Array.from(byEnd, ([end, { length }]) => (length === 1 ? end : `${end} (${length})`)).join('; ')
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|')
}
