/** A repository whose refs another node orders. */
export interface MirrorRow {
  readonly owner: string
  readonly name: string
  readonly description: string
  /** What HEAD points to until the log says otherwise. */
  readonly head: string
  /** Peer id. */
  readonly home: string
  /** Its id there. */
  readonly homeId: string
  readonly homeUrl: string | undefined
}

/** What a home says of its repository besides its log; what is left out stays. */
export interface MirrorFacts {
  readonly description?: string
  /** null: it says none */
  readonly homeUrl?: string | null
  /** Its home shows it to nobody any more. */
  readonly hidden?: boolean
}
