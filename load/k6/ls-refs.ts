/** k6: what `git ls-remote` asks, and whether the answer is what git itself said the refs are. */
import { check } from 'k6'
import { bodyOf, iteration, optionsFor, pick, plan } from './client.ts'
import { expectedRefs, GIT_ROUTE, infoRefs, lsRefs } from './git-requests.ts'
import { lines, text } from './git-wire.ts'
import { RATES } from './metrics.ts'

export const options = optionsFor(RATES['ls-refs'], {
  [`http_req_duration{name:${GIT_ROUTE}/info/refs}`]: ['p(95)<1000'],
  [`http_req_duration{name:${GIT_ROUTE}/git-upload-pack}`]: ['p(95)<1000'],
})

export default iteration(() => {
  const repository = pick(plan.repositories)
  const capabilities = lines(bodyOf(infoRefs(repository.path, 'git-upload-pack'))).map(text)
  check(capabilities, { 'version 2 is spoken': (told) => told.includes('version 2\n') })
  const expected = expectedRefs(repository).join('\n')
  check(lsRefs(repository), { 'the refs are those that git saw': (told) => told.join('\n') === expected })
})
