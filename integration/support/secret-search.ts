/** Looks for a secret in a text however it may have been written there. */

export interface Haystack {
  readonly name: string
  readonly text: string
}

/** @returns where each of the secrets was found, and in which spelling; empty is what a test wants to see */
export function findSecrets(secrets: Readonly<Record<string, string>>, haystacks: Iterable<Haystack>): string[] {
  const wanted = Object.entries(secrets).flatMap(([name, value]) =>
    Object.entries(spellingsOf(value)).map(([spelling, text]) => ({ what: `${name} (${spelling})`, text })),
  )
  const found: string[] = []
  for (const { name, text } of haystacks) {
    for (const { what, text: needle } of wanted) {
      const at = text.indexOf(needle)
      if (at >= 0) found.push(`${what} in ${name}: …${text.slice(Math.max(0, at - 120), at + needle.length + 60)}…`)
    }
  }
  return found
}

/** Every encoding a secret may travel in; base64 looks different for each place in a group of three bytes. */
export function spellingsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const json = JSON.stringify(secret).slice(1, -1)
  const spellings: Record<string, string> = {
    plain: secret,
    JSON: json,
    'JSON in JSON': JSON.stringify(json).slice(1, -1),
    'URI component': encodeURIComponent(secret),
    URI: encodeURI(secret),
    hex,
    HEX: hex.toUpperCase(),
  }
  for (const shift of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '')
    // The first and the last digits also depend on the neighbours.
    const inner = encoded.slice(Math.ceil((shift * 8) / 6), encoded.length - 1)
    spellings[`base64 + ${shift}`] = inner
    spellings[`base64url + ${shift}`] = inner.replaceAll('+', '-').replaceAll('/', '_')
  }
  if (/^(?:[0-9a-f]{2})+$/i.test(secret)) {
    const raw = Buffer.from(secret, 'hex')
    spellings['lower case'] = secret.toLowerCase()
    spellings['upper case'] = secret.toUpperCase()
    spellings['bytes in base64'] = raw.toString('base64').replaceAll('=', '')
    spellings['bytes in base64url'] = raw.toString('base64url')
  }
  return spellings
}
