import type { Libp2pOptions } from 'libp2p'
import type { Logger } from '../observability/logging.ts'

type ComponentLogger = NonNullable<Libp2pOptions['logger']>
type Libp2pLogger = ReturnType<ComponentLogger['forComponent']>

/**
 * libp2p's own words as lines of our log, its errors at `debug` and the rest at `trace`: most of its errors are peers
 * that went away. Its default would write text to standard error when `DEBUG` is set.
 */
export function libp2pLogger(logger: Logger): ComponentLogger {
  return { forComponent: (name) => scoped(logger, name) }
}

function scoped(logger: Logger, component: string): Libp2pLogger {
  const write =
    (level: 'debug' | 'trace') =>
    (formatter: unknown, ...args: unknown[]): void => {
      if (logger.isLevelEnabled(level)) logger[level]({ component }, fill(String(formatter), args))
    }
  return Object.assign(write('trace'), {
    error: write('debug'),
    trace: write('trace'),
    enabled: logger.isLevelEnabled('trace'),
    newScope: (name: string) => scoped(logger, `${component}:${name}`),
  })
}

/** Its placeholders (`%p` a peer, `%a` an address, `%e` an error …) all become the text of their value. */
function fill(formatter: string, args: unknown[]): string {
  const rest = [...args]
  const filled = formatter.replace(/%([a-zA-Z%])/g, (_, kind: string) => (kind === '%' ? '%' : String(rest.shift())))
  return [filled, ...rest.map(String)].join(' ')
}
