/** The page on clients is not stale: it is made of what is recorded, for the rows there are, and can be had again. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CAPABILITIES } from './compatibility/capabilities.ts'
import { Ground } from './compatibility/cell.ts'
import { CLIENTS, CLIENTS_AT_HAND } from './compatibility/clients.ts'
import { digestOf, type Matrix, PAGE, readMatrix } from './compatibility/matrix.ts'
import { renderPage } from './compatibility/page.ts'
import { askWithSha256 } from './compatibility/sha256.ts'
import { Random } from './support/random.ts'

const AGAIN = 'run `npm run compat` again'
const SEED = Number(process.env['COMPAT_SEED'] ?? 8)
/** Of each client that is at hand: a cell takes half a second. */
const CELLS_AGAIN = 3

const matrix = readMatrix() as Matrix

describe('docs/git-compatibility.md', () => {
  it('is what its record makes', () => {
    expect(readFileSync(PAGE, 'utf8'), AGAIN).toBe(renderPage(matrix))
  })

  it('has a column for each client, and a cell for each capability', () => {
    expect(Object.keys(matrix.columns), AGAIN).toEqual(CLIENTS.map(({ name }) => name))
    for (const { cells } of Object.values(matrix.columns)) {
      expect(Object.keys(cells), AGAIN).toEqual(CAPABILITIES.map(({ name }) => name))
    }
  })

  it.each(CLIENTS)('was made by the code of today: $name', (client) => {
    expect(matrix.columns[client.name]?.digest, AGAIN).toBe(digestOf(client))
  })

  it('has nothing that works with C git alone', () => {
    const cells = Object.values(matrix.columns).flatMap((column) => Object.entries(column.cells))
    expect(cells.filter(([, { outcome }]) => outcome === 'fails here')).toEqual([])
  })
})

describe(`cells run again, seed ${SEED} (others: COMPAT_SEED=N)`, () => {
  let ground: Ground

  beforeAll(async () => {
    ground = await Ground.open()
  })
  afterAll(() => ground[Symbol.asyncDispose]())

  it.each(CLIENTS_AT_HAND)('$name', async (column) => {
    const recorded = matrix.columns[column.name]
    const client = await column.open({ signal: new AbortController().signal, say: () => {} })
    for (const row of new Random(SEED).shuffled(CAPABILITIES).slice(0, CELLS_AGAIN)) {
      const { cell, visits } = await ground.play(row, client)
      expect(cell.outcome, `${row.name}: ${JSON.stringify(visits)}`).not.toBe('fails here')
      // Other versions may well do otherwise; that is no fault of the page.
      if (client.version !== recorded?.version || ground.twinVersion !== recorded.twinVersion) continue
      expect(cell, `${row.name}; ${AGAIN}`).toEqual(recorded.cells[row.name])
    }
  })

  it('a node says of SHA-256 what the page says', async () => {
    expect(await askWithSha256(ground.guts), AGAIN).toEqual(matrix.sha256)
  })
})
