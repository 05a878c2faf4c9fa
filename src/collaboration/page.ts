/** One page of a list, as clients ask for it. */
export interface PageOf<Item> {
  readonly items: readonly Item[]
  /** Of all pages together. */
  readonly total: number
}

/** Which page: counted from 1. */
export interface PageRequest {
  readonly page: number
  readonly perPage: number
}

export function offsetOf({ page, perPage }: PageRequest): number {
  return (page - 1) * perPage
}
