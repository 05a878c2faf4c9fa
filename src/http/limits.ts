import { FIELDS, type Field } from '../config/fields.ts'
import type { Config } from '../config/schema.ts'
import { SPARSE_LIMITS } from '../git/object-graph/sparse-patterns.ts'
import { PRUNING_LIMITS } from '../transfer/maintenance/pruning-limits.ts'
import { BROWSE_LIMITS } from '../transfer/workers/browse-limits.ts'

export interface Limit {
  readonly name: string
  readonly value: number
  readonly unit: string | undefined
  readonly description: string
}

const UNIT_BYTES: Readonly<Record<string, number>> = { MB: 2 ** 20, KB: 2 ** 10 }

/** The budgets a client can meet, as they are configured, then those that are fixed. */
export function limitsOf(config: Config): readonly Limit[] {
  const fixed = Object.entries({ ...BROWSE_LIMITS, ...SPARSE_LIMITS, ...PRUNING_LIMITS }).map(([name, limit]) => ({
    name,
    ...limit,
  }))
  return [...FIELDS.filter(isBudget).map((field) => toLimit(field, config)), ...fixed]
}

function isBudget({ kind, section }: Field): boolean {
  return kind === 'integer' && (section === 'HTTP' || section === 'Git')
}

/** In the unit that the field's name says, as an operator writes it. */
function toLimit({ name, key, unit, description }: Field, config: Config): Limit {
  const value = (config as unknown as Readonly<Record<string, unknown>>)[name]
  return { name: key, value: Number(value) / (UNIT_BYTES[unit ?? ''] ?? 1), unit, description }
}
