import { backupList } from './backup-list.ts'
import { backupVerify } from './backup-verify.ts'
import { backup } from './backup.ts'
import type { Command } from './command.ts'
import { configCheck } from './config-check.ts'
import { configDocs } from './config-docs.ts'
import { configPrint } from './config-print.ts'
import { configSchema } from './config-schema.ts'
import { dev } from './dev.ts'
import { keygen } from './keygen.ts'
import { maintenanceOff } from './maintenance-off.ts'
import { maintenanceOn } from './maintenance-on.ts'
import { maintenanceStatus } from './maintenance-status.ts'
import { mirrorAdd } from './mirror-add.ts'
import { mirrorList } from './mirror-list.ts'
import { mirrorRemove } from './mirror-remove.ts'
import { peerList } from './peer-list.ts'
import { repoFsck } from './repo-fsck.ts'
import { repoGc } from './repo-gc.ts'
import { repoList } from './repo-list.ts'
import { repoStats } from './repo-stats.ts'
import { restore } from './restore.ts'
import { start } from './start.ts'
import { status } from './status.ts'
import { tokenCreate } from './token-create.ts'
import { tokenList } from './token-list.ts'
import { tokenRevoke } from './token-revoke.ts'
import { userCreate } from './user-create.ts'
import { userList } from './user-list.ts'

/** Every command. To add one: one file, one line. One that has others below it comes before them. */
export const COMMANDS: readonly Command[] = [
  start,
  dev,
  keygen,
  configCheck,
  configPrint,
  configSchema,
  configDocs,
  userCreate,
  userList,
  tokenCreate,
  tokenList,
  tokenRevoke,
  repoList,
  repoStats,
  repoFsck,
  repoGc,
  mirrorAdd,
  mirrorRemove,
  mirrorList,
  peerList,
  status,
  maintenanceOn,
  maintenanceOff,
  maintenanceStatus,
  backup,
  backupList,
  backupVerify,
  restore,
]

/** Commands of two words, and what the first one says about them. */
export const GROUPS: Readonly<Record<string, string>> = {
  config: 'Settings: check, show, describe',
  user: 'Users',
  token: 'Tokens, which users authenticate with',
  repo: 'Repositories',
  mirror: 'Repositories of other nodes that are kept here, too',
  peer: 'Other nodes',
  maintenance: 'Refuse changes for a while',
}
