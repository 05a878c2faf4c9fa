/** URLs of submodules that were dangerous to some git ("fsck.c", check_submodule_url; CVE-2020-5260, -11008). */

const CURL_SCHEMES = ['http', 'https', 'ftp', 'ftps']

/** @param url in Latin-1, without NUL */
export function isSubmoduleUrlAllowed(url: string): boolean {
  if (looksLikeOption(url)) return false
  const climbing = skipClimbing(url)
  if (climbing.end > 0 || url.startsWith('git://')) {
    // It may be appended to an http URL and decoded there.
    if (decodesToLineFeed(url)) return false
    // One that climbs out of its root could replace the host.
    const next = url[climbing.end]
    return climbing.levels === 0 || (next !== ':' && next !== '/')
  }
  const curlUrl = urlForCurl(url)
  return curlUrl === undefined || isUrlWithHost(curlUrl)
}

/** Whether a command would read this as an option instead of a value. */
export function looksLikeOption(value: string): boolean {
  return value.startsWith('-')
}

/** The `./` and `../` that it begins with, also with backslashes. A loop: a pattern for megabytes of them runs out of stack. */
function skipClimbing(url: string): { readonly end: number; readonly levels: number } {
  let end = 0
  let levels = 0
  for (;;) {
    const dots = url.startsWith('..', end) ? 2 : url.startsWith('.', end) ? 1 : 0
    const separator = url[end + dots]
    if (dots === 0 || (separator !== '/' && separator !== '\\')) return { end, levels }
    if (dots === 2) levels++
    end += dots + 1
  }
}

/** What git would hand to git-remote-curl; undefined where it hands nothing to it. */
function urlForCurl(url: string): string | undefined {
  for (const scheme of CURL_SCHEMES) {
    if (url.startsWith(`${scheme}::`)) return url.slice(scheme.length + 2)
  }
  return CURL_SCHEMES.some((scheme) => url.startsWith(`${scheme}://`)) ? url : undefined
}

/** Whether credentials can be looked up for it: a scheme, a host, and no line feed in any part ("credential.c"). */
function isUrlWithHost(url: string): boolean {
  const schemeEnd = url.indexOf('://')
  if (schemeEnd <= 0 || url.slice(0, schemeEnd).includes('\n')) return false
  const rest = url.slice(schemeEnd + 3)
  const hostEnd = /[/?#]|$/.exec(rest)?.index ?? rest.length
  const authority = rest.slice(0, hostEnd)
  // The first "@", also when the host that follows holds another one.
  const at = authority.indexOf('@')
  const host = authority.slice(at + 1)
  const user = authority.slice(0, Math.max(0, at))
  const colon = user.indexOf(':')
  const parts = [host, rest.slice(hostEnd)]
  if (colon < 0) parts.push(user)
  else parts.push(user.slice(0, colon), user.slice(colon + 1))
  return host !== '' && !parts.some(decodesToLineFeed)
}

/** git leaves what stands before the first colon undecoded, unless the colon comes first ("url.c"). */
function decodesToLineFeed(text: string): boolean {
  return text.includes('\n') || /%0a/i.test(text.slice(Math.max(0, text.indexOf(':'))))
}
