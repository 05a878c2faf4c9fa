/** `docs/git-compatibility.md`, made of the recorded result and the code's own lists. */
import { CAPABILITIES } from './capabilities.ts'
import { GROUPS } from './capability.ts'
import { type Cell, OUTCOMES } from './cell.ts'
import { CLIENTS } from './clients.ts'
import type { Matrix } from './matrix.ts'

export function renderPage({ columns, sha256 }: Matrix): string {
  const clients = CLIENTS.filter(({ name }) => name in columns)
  const cellOf = (row: string, client: string): Cell | undefined => columns[client]?.cells[row]
  const twins = new Set(Object.values(columns).map(({ twinVersion }) => twinVersion))
  const table = GROUPS.flatMap((group) => [
    `| **${group}** |${' |'.repeat(clients.length)}`,
    ...CAPABILITIES.filter((row) => row.group === group).map(({ name }) => {
      const outcomes = clients.map((client) => cellOf(name, client.name)?.outcome)
      return `| ${name} | ${outcomes.map((one) => (one === undefined ? '?' : OUTCOMES[one].sign)).join(' | ')} |`
    }),
  ])
  /** One line for each row and sentence, with the clients that say it. */
  const sentences = (part: 'note' | 'refusal'): string[] =>
    CAPABILITIES.flatMap(({ name }) => {
      const bySentence = Map.groupBy(clients, (client) => cellOf(name, client.name)?.[part])
      bySentence.delete(undefined)
      return [...bySentence].map(
        ([sentence, sayers]) => `- ${name}: ${sayers.map((sayer) => sayer.name).join(', ')}: ${quoted(sentence)}`,
      )
    })
  return `# Compatibility with git clients

Each cell is an operation that was run twice: by that client with a Guts node, and by the same client with the same repository behind \`git http-backend\`, C git's own server (${[...twins].join(', ')}). What the client ended with (refs, objects, where history ends, the verdict of \`git fsck\`) and what the repository then held were compared, and what went over the wire was read to see whether the client asked for the capability at all.

This page is made by \`npm run compat\`; a test fails when it is stale.

| client | version | what |
|---|---|---|
${clients.map(({ name, what }) => `| ${name} | ${columns[name]?.version} | ${what} |`).join('\n')}

${Object.values(OUTCOMES)
  .map(({ sign, meaning }) => `- ${sign} ${meaning}`)
  .join('\n')}

| | ${clients.map(({ name }) => name).join(' | ')} |
|---|${':-:|'.repeat(clients.length)}
${table.join('\n')}

None of these clients asks for \`object-info\`; \`integration/git-features.test.ts\` compares what it answers byte for byte.

## Why not

${sentences('note').join('\n')}

## What a client says that is refused

${sentences('refusal').join('\n')}

## SHA-256 repositories

Repositories are SHA-1. Object ids of both kinds in one database, log and wire protocol would be a second node beside the first, and git itself has no way yet for the two kinds to work with each other; so SHA-256 is refused, by the client where the node's \`object-format=sha1\` tells it enough, and else by the node in these words:

- to a fetch: ${quoted(sha256.fetch)}
- to a push: ${quoted(sha256.push)}
`
}

/** As code, since clients use signs that mean something in Markdown. */
function quoted(sentence: string | undefined): string {
  return `\`${(sentence ?? '').replaceAll('`', "'")}\``
}
