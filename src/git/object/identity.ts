/** Who and when, as commits and tags carry it: `Name <email> seconds zone`. */
export interface Identity {
  readonly name: string
  readonly email: string
  /** Seconds since 1970 (UTC); 0 where none is readable. */
  readonly timeS: number
}

/** Reads what there is: history holds identities that no rule allows, and walking them must not fail. */
export function parseIdentity(line: string): Identity {
  const emailAt = line.indexOf('<')
  const emailEnd = line.lastIndexOf('>')
  if (emailAt < 0 || emailEnd < emailAt) return { name: line.trim(), email: '', timeS: 0 }
  const time = /^ *([0-9]{1,15})(?: |$)/.exec(line.slice(emailEnd + 1))?.[1]
  return {
    name: line.slice(0, emailAt).trim(),
    email: line.slice(emailAt + 1, emailEnd),
    timeS: time === undefined ? 0 : Number(time),
  }
}
