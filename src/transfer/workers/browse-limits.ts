const MEBIBYTE = 2 ** 20

/** What one look at a repository over the API may cost; git itself has other limits. */
export const BROWSE_LIMITS = {
  commits_walked: {
    value: 50_000,
    unit: undefined,
    description: 'Commits that one page of a history may walk over; git has no such limit.',
  },
  commit_page_bytes: {
    value: 16 * MEBIBYTE,
    unit: 'bytes',
    description: 'All commits of one page of a history together.',
  },
  commit_bytes: { value: 4 * MEBIBYTE, unit: 'bytes', description: 'One commit in a history.' },
  tree_bytes: { value: 4 * MEBIBYTE, unit: 'bytes', description: 'One folder, as git stores it.' },
  directory_entries: { value: 10_000, unit: undefined, description: 'Entries of a folder in the contents.' },
  file_bytes: { value: MEBIBYTE, unit: 'bytes', description: 'A file in the contents; larger ones come over git.' },
} as const satisfies Record<string, { value: number; unit: 'bytes' | undefined; description: string }>
