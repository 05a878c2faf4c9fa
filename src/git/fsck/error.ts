import { GutsError } from '../../errors.ts'

/**
 * Everything that `git fsck --strict` of git 2.39 refuses in an object, by git's own ids ("fsck.c", git-fsck(1)), so that
 * what a pusher reads here can be looked up there. Ids that git only remarks on (badFilemode, badTagName,
 * gitmodulesParse, missingTaggerEntry and the like) refuse nothing and are not here.
 */
export const FSCK_REASONS = {
  badDate: 'the date of an author, committer or tagger is not a number',
  badDateOverflow: 'the date of an author, committer or tagger is out of range',
  badEmail: 'the email of an author, committer or tagger is not closed by ">"',
  badName: 'the name of an author, committer or tagger holds ">"',
  badObjectSha1: 'the "object" line holds no object id',
  badParentSha1: 'a "parent" line holds no object id',
  badTimezone: 'the time zone of an author, committer or tagger is not a sign and four digits',
  badTree: 'the tree cannot be read',
  badTreeSha1: 'the "tree" line holds no object id',
  badType: 'the "type" line names no type of object',
  duplicateEntries: 'two entries have the same name',
  fullPathname: 'the name of an entry holds a slash',
  gitattributesBlob: 'a .gitattributes is not a file',
  gitattributesLarge: 'a .gitattributes is too large',
  gitattributesLineLength: 'a .gitattributes has a line that is too long',
  gitattributesMissing: 'a .gitattributes is missing',
  gitmodulesBlob: 'a .gitmodules is not a file',
  gitmodulesLarge: 'a .gitmodules is too large',
  gitmodulesMissing: 'a .gitmodules is missing',
  gitmodulesName: 'a .gitmodules has a submodule with a name that is not allowed',
  gitmodulesPath: 'a .gitmodules has a submodule with a path that is not allowed',
  gitmodulesSymlink: 'a .gitmodules is a symbolic link',
  gitmodulesUpdate: 'a .gitmodules has a submodule with an update command, which is not allowed',
  gitmodulesUrl: 'a .gitmodules has a submodule with a URL that is not allowed',
  hasDot: 'an entry is named "."',
  hasDotdot: 'an entry is named ".."',
  hasDotgit: 'an entry is named ".git", or so that a file system would take it for that',
  missingAuthor: 'there is no "author" line where it belongs',
  missingCommitter: 'there is no "committer" line where it belongs',
  missingEmail: 'an author, committer or tagger has no email',
  missingNameBeforeEmail: 'an author, committer or tagger has no name',
  missingObject: 'there is no "object" line where it belongs',
  missingSpaceBeforeDate: 'no space stands before the date of an author, committer or tagger',
  missingSpaceBeforeEmail: 'no space stands before the email of an author, committer or tagger',
  missingTagEntry: 'there is no "tag" line where it belongs',
  missingTree: 'there is no "tree" line where it belongs',
  missingTypeEntry: 'there is no "type" line where it belongs',
  multipleAuthors: 'there are several "author" lines',
  nulInCommit: 'the commit holds a NUL byte',
  nulInHeader: 'the header holds a NUL byte',
  nullSha1: 'an entry points to the object id that is all zeros',
  /** Ours: git's parser refuses such a tag before fsck sees it, as "invalid tag". */
  tagTooShort: 'the tag is shorter than any tag can be',
  treeNotSorted: 'the entries are not properly sorted',
  unterminatedHeader: 'the header does not end',
  zeroPaddedDate: 'the date of an author, committer or tagger begins with a zero',
  zeroPaddedFilemode: 'the mode of an entry begins with a zero',
} as const

export type FsckId = keyof typeof FSCK_REASONS

/** An object that git would refuse. `message` is read by the pusher. */
export class FsckError extends GutsError<{
  readonly code: 'object_refused'
  readonly id: FsckId
  readonly oid: string
  readonly reason: string
}> {
  static of(id: FsckId, oid: string): FsckError {
    const reason = FSCK_REASONS[id]
    return new FsckError({ code: 'object_refused', id, oid, reason }, `object ${oid}: ${id}: ${reason}`)
  }
}
