/** k6: each iteration pushes one pack that git made, to a ref of its own. */
import { check } from 'k6'
import exec from 'k6/execution'
import { Counter } from 'k6/metrics'
import { bodyOf, iteration, optionsFor, plan } from './client.ts'
import { GIT_ROUTE, infoRefs, post } from './git-requests.ts'
import { concat, firstBand, FLUSH, lines, NO_OID, pkt, text } from './git-wire.ts'
import { CLIENT_METRICS, RATES } from './metrics.ts'

const acknowledged = new Counter(CLIENT_METRICS.acknowledged)
const packs = plan.pushes.map(({ pack }) => open(pack, 'b'))

export const options = optionsFor(RATES.push, {
  [`http_req_duration{name:${GIT_ROUTE}/git-receive-pack}`]: ['p(95)<5000'],
  [CLIENT_METRICS.acknowledged]: ['count>0'],
})

export default iteration(() => {
  const at = exec.scenario.iterationInTest
  const [push, pack] = [plan.pushes[at], packs[at]]
  if (push === undefined || pack === undefined) throw new RangeError(`No pack was made for iteration ${at}`)
  const advertised = text(bodyOf(infoRefs(plan.pushTo, 'git-receive-pack')))
  check(advertised, { 'pushes are served': (told) => told.startsWith('001f# service=git-receive-pack\n0000') })
  const command = pkt(`${NO_OID} ${push.oid} ${push.ref}\0report-status side-band-64k agent=guts-load`)
  const answer = post(plan.pushTo, 'git-receive-pack', concat([command, FLUSH, new Uint8Array(pack)]))
  const report = lines(firstBand(lines(bodyOf(answer)))).map((line) => text(line).trimEnd())
  const accepted = report.includes('unpack ok') && report.includes(`ok ${push.ref}`)
  check(accepted, { 'the push is acknowledged': (yes) => yes })
  if (accepted) acknowledged.add(1, { ref: push.ref })
})
