/** Exit codes (DESIGN §4.1); the last one is EX_CONFIG of sysexits.h. */
export const EXIT = { fine: 0, failed: 1, wrongUse: 2, invalidConfiguration: 78 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
