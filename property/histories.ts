/** Histories of any shape, whose clocks may be wrong, made in one start of `git fast-import`. */
import { spawnSync } from 'node:child_process'
import { fc } from '@fast-check/vitest'

export interface Change {
  readonly path: string
  /** undefined: the file goes */
  readonly text: string | undefined
}

export interface Commit {
  /** How many commits back; 1 is the one before. None: another root. */
  readonly parents: readonly number[]
  /** Seconds after its place in the history says. */
  readonly skewS: number
  readonly changes: readonly Change[]
  readonly tagged: 'no' | 'tag' | 'tag of the tag'
}

const STEP_S = 60
const FIRST_S = 1_600_000_000

// Few files, in folders, whose versions have most in common: so trees are shared, and there are deltas to find.
const change: fc.Arbitrary<Change> = fc.record({
  path: fc.constantFrom('a', 'b', 'folder/a', 'folder/b', 'folder/deep/a', 'other/deep/a'),
  text: fc.option(
    fc.nat(30).map((version) => `${'a line that stays\n'.repeat(40)}version ${version}\n${'the end\n'.repeat(20)}`),
    { freq: 6, nil: undefined },
  ),
})

const commit = (skewS: fc.Arbitrary<number>): fc.Arbitrary<Commit> =>
  fc.record({
    parents: fc.oneof(
      { weight: 8, arbitrary: fc.constant([1]) },
      { weight: 3, arbitrary: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constant([]) },
    ),
    skewS,
    changes: fc.array(change, { maxLength: 3 }),
    tagged: fc.constantFrom('no', 'no', 'no', 'tag', 'tag of the tag'),
  })

/** @param clocks `right`: no commit is older than its parents */
export const history = (clocks: 'right' | 'wrong'): fc.Arbitrary<readonly Commit[]> =>
  fc.array(commit(clocks === 'right' ? fc.constant(0) : fc.constantFrom(0, 0, 0, -30_000, 30_000, -600, 600)), {
    minLength: 2,
    maxLength: 40,
  })

export interface Made {
  /** Names of the commits, in their order. */
  readonly commits: readonly string[]
  /** Name of each tag → of the commit that it finally points to. */
  readonly tags: ReadonlyMap<string, string>
}

export function makeHistory(repository: string, commits: readonly Commit[]): Made {
  const parts: string[] = []
  for (const [at, { parents, skewS, changes, tagged }] of commits.entries()) {
    const mark = at + 1
    const who = `A <a@example.org> ${FIRST_S + mark * STEP_S + skewS} +0000`
    const message = `commit ${mark}`
    parts.push(`commit refs/heads/at/${mark}\nmark :${mark}\nauthor ${who}\ncommitter ${who}\n`)
    parts.push(`data ${message.length}\n${message}\n`)
    const marks = Array.from(new Set(parents.map((back) => mark - back).filter((one) => one > 0)))
    for (const [number, one] of marks.entries()) parts.push(`${number === 0 ? 'from' : 'merge'} :${one}\n`)
    for (const { path, text } of changes) {
      parts.push(text === undefined ? `D ${path}\n` : `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`)
    }
    parts.push('\n')
    if (tagged === 'no') continue
    const tagMark = 1_000 + mark
    const tagLines = (name: string, from: number): string =>
      `tag ${name}\nmark :${tagMark}\nfrom :${from}\ntagger ${who}\n`
    parts.push(`${tagLines(`t${mark}`, mark)}data 1\nt\n`)
    if (tagged === 'tag of the tag') parts.push(`${tagLines(`u${mark}`, tagMark)}data 1\nu\n`)
  }
  parts.push('done\n')
  run(repository, ['fast-import', '--quiet', '--force', '--date-format=raw'], parts.join(''))
  const format = '--format=%(refname) %(objectname)'
  const refs = run(repository, ['for-each-ref', format])
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
  const named = new Map(refs.map(([name = '', oid = '']) => [name, oid]))
  const tags = refs.filter(([name = '']) => name.startsWith('refs/tags/'))
  const peeled = tags.map(([, oid = '']) => `${oid}^{}\n`).join('')
  const targets = run(repository, ['cat-file', '--batch-check=%(objectname)'], peeled).toString().split('\n')
  return {
    commits: commits.map((_, at) => named.get(`refs/heads/at/${at + 1}`) ?? ''),
    tags: new Map(tags.map(([, oid = ''], at) => [oid, targets[at] ?? ''])),
  }
}

/** Runs git with nothing of the machine's own configuration. @throws Error with what git said */
export function run(repository: string, args: readonly string[], input: string | Uint8Array = ''): Buffer {
  const env = { PATH: process.env['PATH'] ?? '', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' }
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: repository, input, env, maxBuffer: 2 ** 28 })
  if (status !== 0) throw new Error(`git ${args.join(' ')} ended with ${status}: ${stderr.toString()}`)
  return stdout
}
