/** One line of the bench's table. */
export interface Row {
  readonly what: string
  readonly guts: string
  readonly anchor: string
  readonly ratio: string
  readonly goal: string
  readonly met: boolean
}
