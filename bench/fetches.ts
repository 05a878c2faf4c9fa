/** Fetches of a part: of history, of its objects, of very many refs. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Git } from '../integration/support/git.ts'
import type { BenchHost } from './hosts.ts'
import { ratesInTurn } from './rates.ts'
import type { Target } from './raw-client.ts'
import { rateRow, type Row } from './row.ts'

type Hosts = readonly [BenchHost, BenchHost]

/** Different questions, so that what was answered once is seldom asked again. */
const QUESTIONS = 400
const REFS = 50_000

/** @param source a bare repository */
export async function fetchRows(hosts: Hosts, source: string, rateMs: number): Promise<Row[]> {
  const targets = (await Promise.all(hosts.map((host) => host.fill('fetched', source)))) as [Target, Target]
  const line = (await new Git(source).run('rev-list', '--first-parent', 'main')).split('\n')
  const at = (place: number): string => line[Math.min(line.length - 1, Math.floor(place))] ?? ''
  const [newest] = line
  const behind = (part: number) => (number: number) => [
    `want ${newest}`,
    `have ${at(line.length * part + (number % QUESTIONS))}`,
  ]
  const questions: Readonly<Record<string, (number: number) => string[]>> = {
    'fetch of the last 1 % of history': behind(0.01),
    'fetch of the last 10 % of history': behind(0.1),
    'shallow clone of one commit, others each time': (number) => [`want ${at(number % QUESTIONS)}`, 'deepen 1'],
    'shallow clone of one commit, the same each time': () => [`want ${newest}`, 'deepen 1'],
    'blobless clone, another commit each time': (number) => [`want ${at(number % QUESTIONS)}`, 'filter blob:none'],
    'blobless clone, the same each time': () => [`want ${newest}`, 'filter blob:none'],
  }
  const rows: Row[] = []
  for (const [what, lines] of Object.entries(questions)) {
    const rates = await ratesInTurn(targets, 1, rateMs, (client, number) => client.fetch(lines(number)))
    rows.push(rateRow(what, rates, 2))
  }
  return rows
}

export async function manyRefsRows(hosts: Hosts, folder: string, rateMs: number): Promise<Row[]> {
  const source = join(folder, 'many-refs.git')
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', source])
  const git = new Git(source)
  const tree = await git.run('hash-object', '-t', 'tree', '-w', '/dev/null')
  const commit = await git.run('commit-tree', '-m', 'only', tree)
  const names = Array.from({ length: REFS }, (_, at) => `create refs/heads/topic/${at} ${commit}\n`)
  execFileSync('git', ['update-ref', '--stdin'], {
    cwd: source,
    input: `create refs/heads/main ${commit}\n${names.join('')}`,
  })
  await git.run('pack-refs', '--all')
  const targets = (await Promise.all(hosts.map((host) => host.fill('many-refs', source)))) as [Target, Target]
  const rates = await ratesInTurn(targets, 1, rateMs, (client) => client.lsRefs())
  return [rateRow(`ls-refs of ${REFS.toLocaleString('en')} refs`, rates, 10)]
}
