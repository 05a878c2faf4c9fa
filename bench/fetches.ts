/** Fetches of a part: of history, or of its objects. */
import { Git } from '../integration/support/git.ts'
import type { BenchContext } from './context.ts'
import { rateOfEach } from './rates.ts'
import { rateRow, type Row } from './row.ts'

/** Different questions, so that what was answered once is seldom asked again. */
const QUESTIONS = 400

export async function fetchRows(context: BenchContext): Promise<Row[]> {
  const source = await context.sources.size('large')
  const { guts, anchor } = await context.hosts()
  const targets = [await guts.fill('large', source.path), await anchor.fill('large', source.path)] as const
  const rows: Row[] = []
  for (const [what, lines] of Object.entries(await questionsAbout(source.path))) {
    const rates = await rateOfEach(targets, 1, context.rateMs, (client, number) => client.fetch(lines(number)))
    rows.push(rateRow(what, rates, { atLeast: 2 }))
  }
  return rows
}

async function questionsAbout(source: string): Promise<Readonly<Record<string, (number: number) => string[]>>> {
  const line = (await new Git(source).run('rev-list', '--first-parent', 'main')).split('\n')
  const at = (place: number): string => line[Math.min(line.length - 1, Math.floor(place))] ?? ''
  const [newest] = line
  const behind = (part: number) => (number: number) => [
    `want ${newest}`,
    `have ${at(line.length * part + (number % QUESTIONS))}`,
  ]
  return {
    'fetch of the last 1 % of history': behind(0.01),
    'fetch of the last 10 % of history': behind(0.1),
    'shallow clone of one commit, others each time': (number) => [`want ${at(number % QUESTIONS)}`, 'deepen 1'],
    'shallow clone of one commit, the same each time': () => [`want ${newest}`, 'deepen 1'],
    'blobless clone, another commit each time': (number) => [`want ${at(number % QUESTIONS)}`, 'filter blob:none'],
    'blobless clone, the same each time': () => [`want ${newest}`, 'filter blob:none'],
  }
}
