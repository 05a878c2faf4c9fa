/** k6: full clones; each pack is whole by its own hash, and has as many objects as git counted. */
import { check } from 'k6'
import { bodyOf, iteration, optionsFor, pick, plan } from './client.ts'
import { fetchRequest, GIT_ROUTE, infoRefs, lsRefs, post } from './git-requests.ts'
import { firstBand, lines, packObjectCount, text } from './git-wire.ts'
import { RATES } from './metrics.ts'

export const options = optionsFor(RATES.clone, {
  [`http_req_duration{name:${GIT_ROUTE}/git-upload-pack}`]: ['p(95)<5000'],
})

export default iteration(() => {
  const repository = pick(plan.repositories)
  infoRefs(repository.path, 'git-upload-pack')
  lsRefs(repository)
  const answer = lines(bodyOf(post(repository.path, 'git-upload-pack', fetchRequest(repository))))
  const [section, ...payloads] = answer
  check(section, { 'the pack comes': (line) => line !== undefined && text(line) === 'packfile\n' })
  const pack = firstBand(payloads)
  const expected = repository.objectCount
  check(pack, { 'the pack is whole, and has all objects': (bytes) => packObjectCount(bytes) === expected })
})
