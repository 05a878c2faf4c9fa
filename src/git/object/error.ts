import { GutsError } from '../../errors.ts'

/** An object whose bytes are not what its type says (gitformat-*, "Object format"). `message` is read by the pusher. */
export class ObjectError extends GutsError<{
  readonly code: 'commit_invalid' | 'tree_invalid' | 'tag_invalid'
  readonly reason: string
}> {}
