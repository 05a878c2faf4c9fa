/** The books of a run as a table for people. */
import Table from 'cli-table3'
import type { Reconciliation, Row, Side } from './reconcile.ts'

const HEAD = ['request', 'status', 'client', 'node', 'bytes in', 'node', 'bytes out', 'node', '50 % ms', '95 % ms']

export function tableOf({ rows }: Reconciliation): string {
  const table = new Table({
    head: HEAD,
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  })
  for (const row of rows) table.push(...linesOf(row))
  return table.toString()
}

function linesOf(row: Row): string[][] {
  const { name, client, node, quantiles } = row
  const statuses = [...new Set([...Object.keys(client.statuses), ...Object.keys(node.statuses)])].sort()
  const bytes = (of: (side: Side) => number): string[] => [String(of(client)), String(of(node))]
  const whole = [
    ...bytes((side) => side.requestBytes),
    ...bytes((side) => side.responseBytes),
    ...[0.5, 0.95].map((wanted) => {
      const found = quantiles.find(({ quantile }) => quantile === wanted)
      return found === undefined ? '' : `${found.clientMs.toFixed(1)} (${found.node.fromMs}–${found.node.toMs})`
    }),
  ]
  return statuses.map((status, at) => {
    const counts = [String(client.statuses[status] ?? 0), String(node.statuses[status] ?? 0)]
    return [at === 0 ? name : '', status, ...counts, ...(at === 0 ? whole : whole.map(() => ''))]
  })
}
