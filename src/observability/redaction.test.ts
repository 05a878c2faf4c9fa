import { describe, expect, it } from 'vitest'
import { HINT, redactText, registerSecret, SECRET_KEYS } from './redaction.ts'

describe('redactText', () => {
  const token = 'guts_pat_Ab3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3hJ6l123456'
  const basic = Buffer.from(`alice:${token}`).toString('base64')
  it.each([
    { name: 'a token in a sentence', text: `token ${token} is unknown`, secret: 'Ab3dE6' },
    { name: 'a Basic credential', text: `Authorization: Basic ${basic}`, secret: basic },
    { name: 'a Basic credential, lower case', text: `basic ${basic}`, secret: basic },
    { name: 'a Bearer credential', text: 'Bearer a.b-c~d+e/f==', secret: 'a.b-c' },
    { name: 'a URL with user and password', text: 'https://alice:hunter22@example.org/x', secret: 'hunter22' },
    { name: 'a URL whose password has an @', text: 'https://alice:hun@ter22@example.org/x', secret: 'ter22' },
    { name: 'a URL with a token alone', text: 'https://hunter22@example.org', secret: 'hunter22' },
    { name: 'a query', text: '/x?password=hunter22&y=1', secret: 'hunter22' },
    { name: 'a variable', text: 'GUTS_PRIVATE_KEY=deadbeef', secret: 'deadbeef' },
    {
      name: 'a field of JSON, five levels deep',
      text: '{"a":{"b":{"c":{"d":{"token":"hun\\"ter22"}}}}}',
      secret: 'ter22',
    },
    {
      name: 'JSON inside a string',
      text: JSON.stringify({ msg: JSON.stringify({ password: 'hun"ter22' }) }),
      secret: 'ter22',
    },
  ])('masks $name', ({ text, secret }) => {
    expect(text).toContain(secret)
    expect(redactText(text)).not.toContain(secret)
    expect(redactText(text)).toContain('[redacted]')
  })

  it.each([
    { name: 'a challenge', text: 'Basic realm="guts"' },
    { name: 'a URL', text: 'https://example.org/alice/site.git' },
    { name: 'a commit id', text: 'e83c5163316f89bfbde7d9ab23ca2e25604af290' },
    { name: 'an address', text: 'alice@example.org' },
  ])('leaves $name alone', ({ text }) => expect(redactText(text)).toBe(text))

  it.each(SECRET_KEYS)('looks closer where there is %s', (key) => expect(HINT.test(key)).toBe(true))

  it('keeps JSON valid', () => {
    const line = JSON.stringify({ token: 'x"y', msg: `Bearer ${token}"`, deep: { password: '\\' } })
    expect(JSON.parse(redactText(line))).toEqual({
      token: '[redacted]',
      msg: 'Bearer [redacted]"',
      deep: { password: '[redacted]' },
    })
  })

  it('masks a registered secret in every encoding it may travel in', () => {
    const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
    registerSecret(seed)
    const forms = [
      seed,
      seed.toUpperCase(),
      Buffer.from(seed, 'hex').toString('base64'),
      Buffer.from(seed, 'hex').toString('base64url'),
      Buffer.from(seed).toString('base64'),
    ]
    for (const form of forms) expect(redactText(`key ${form}!`)).toBe('key [redacted]!')
    registerSecret('a "b" c/d e')
    expect(redactText(JSON.stringify({ x: 'a "b" c/d e', y: encodeURIComponent('a "b" c/d e') }))).toBe(
      '{"x":"[redacted]","y":"[redacted]"}',
    )
  })

  it('refuses to register what would mask half the language', () => {
    expect(() => registerSecret('a')).toThrow('at least 8 characters')
  })

  it('takes long hostile text without slowing down', () => {
    // A pattern that backtracked would need hours for these.
    for (const piece of ['guts_pat_', '://', 'Basic ', '\\"token\\":\\"', '"token":"\\', 'password=', 'a']) {
      expect(redactText(piece.repeat(200_000)).length).toBeGreaterThan(0)
    }
  })
})
