/** What a load script is told: written by the command as one JSON file, read by k6. Types only, for both. */

export interface LoadRepository {
  /** `owner/name` */
  readonly path: string
  /** Full names, with what they point to, as `git for-each-ref` told. */
  readonly refs: readonly { readonly name: string; readonly oid: string }[]
  /** Reachable from all refs, as `git rev-list` counted them. */
  readonly objectCount: number
  /** Paths of files at the tip of `main`. */
  readonly files: readonly string[]
}

/** One ref to be made by one push. */
export interface LoadPush {
  readonly ref: string
  readonly oid: string
  /** A file with a pack that git made: whatever `oid` needs beyond what the repository has. */
  readonly pack: string
}

export interface LoadPlan {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly username: string
  readonly token: string
  /** Of the choices of each iteration. */
  readonly seed: number
  /** How long each script keeps its rate. */
  readonly seconds: number
  /** To be read. */
  readonly repositories: readonly LoadRepository[]
  /** To be pushed to: `owner/name`. */
  readonly pushTo: string
  /** At least one for each iteration of the push script. */
  readonly pushes: readonly LoadPush[]
}
