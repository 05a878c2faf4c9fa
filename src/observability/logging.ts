import pino from 'pino'
import { prettyFactory } from 'pino-pretty'
import { currentContext, newOperation, type OperationContext } from './context.ts'
import { LogOutput } from './log-output.ts'
import { redactFields, redactText } from './redaction.ts'

export type Logger = pino.Logger

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export const LOG_FORMATS = ['json', 'pretty'] as const

export interface LoggingOptions {
  readonly level: (typeof LOG_LEVELS)[number]
  readonly format: (typeof LOG_FORMATS)[number]
  /** A file descriptor; default 1, standard output. */
  readonly destination?: number
  /** Called when lines are lost: nobody reads our output, or it cannot be written. */
  readonly onLoss?: () => void
}

export interface Logging {
  readonly logger: Logger
  /** Resolves when everything logged so far was written. On exit and on a crash that happens by itself. */
  flush(): Promise<void>
}

/**
 * pino, one line an event, written asynchronously; field names as in DESIGN §4.6. The ids come from the context, so
 * no caller has to pass them on. Lines outside any context carry the id of the process' own operation.
 */
export function createLogger(options: LoggingOptions): Logging {
  const output = new LogOutput(options.destination ?? 1, () => options.onLoss?.())
  const ownOperation = newOperation('process')
  const pretty = options.format === 'pretty' ? prettyFactory({ colorize: false, ignore: 'span_id' }) : undefined
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redactFields },
      mixin: () => idFields(currentContext() ?? ownOperation),
      hooks: {
        streamWrite: (line) => {
          const redacted = redactText(line)
          // A line that cannot be made pretty is still a line.
          const written = pretty === undefined ? redacted : (pretty(redacted) ?? redacted)
          output.onLine(written)
          return written
        },
      },
    },
    output.stream,
  )
  return { logger, flush: () => output.flush() }
}

/** Node writes its warnings to standard error as text, and our output is nothing but JSON: they become log lines. */
export function logProcessWarnings(logger: Logger): void {
  process.removeAllListeners('warning')
  process.on('warning', (warning) => logger.warn({ err: warning }, 'Warning of the runtime'))
}

function idFields(context: OperationContext): Record<string, string | undefined> {
  return {
    request_id: context.requestId,
    trace_id: context.traceId,
    span_id: context.spanId,
    user_id: context.userId,
    repository: context.repository,
    operation: context.operation,
  }
}
