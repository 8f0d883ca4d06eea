import type { Register } from '../context.ts';
import { artifactDiff } from './artifact-diff.ts';
import { artifactFinish } from './artifact-finish.ts';
import { artifactGc } from './artifact-gc.ts';
import { artifactGrant } from './artifact-grant.ts';
import { artifactHistory } from './artifact-history.ts';
import { artifactList } from './artifact-list.ts';
import { artifactPack } from './artifact-pack.ts';
import { artifactPromote } from './artifact-promote.ts';
import { artifactPull } from './artifact-pull.ts';
import { artifactPush } from './artifact-push.ts';
import { artifactRollback } from './artifact-rollback.ts';
import { artifactSbom } from './artifact-sbom.ts';
import { artifactSend } from './artifact-send.ts';
import { artifactServe } from './artifact-serve.ts';
import { artifactShow } from './artifact-show.ts';
import { artifactSign } from './artifact-sign.ts';
import { artifactToken } from './artifact-token.ts';
import { artifactUrl } from './artifact-url.ts';
import { artifactVerify } from './artifact-verify.ts';
import { artifactWatch } from './artifact-watch.ts';
import { backupDrill, backupVerify } from './backup-check.ts';
import { backupDaemon } from './backup-daemon.ts';
import { backupInit, backupPassphrase } from './backup-keys.ts';
import { backupList } from './backup-list.ts';
import { backupPrune } from './backup-prune.ts';
import { backupRestore } from './backup-restore.ts';
import { backupRun } from './backup-run.ts';
import { backupStatus } from './backup-status.ts';
import { compact } from './compact.ts';
import { configShow } from './config-show.ts';
import { cost } from './cost.ts';
import { credentialsCheck } from './credentials-check.ts';
import { doctor } from './doctor.ts';
import { down } from './down.ts';
import { fsck } from './fsck.ts';
import { indexBackup } from './index-backup.ts';
import { indexRestore } from './index-restore.ts';
import { mc } from './mc.ts';
import { observabilityCheck } from './observability-check.ts';
import { observabilityMigrate } from './observability-migrate.ts';
import { observabilityVerify } from './observability-verify.ts';
import { providerList } from './provider-list.ts';
import { providerProbe } from './provider-probe.ts';
import { providerShow } from './provider-show.ts';
import { provision } from './provision.ts';
import { render } from './render.ts';
import { renderCredentials } from './render-credentials.ts';
import { serve } from './serve.ts';
import { server } from './server.ts';
import { tenantAdd } from './tenant-add.ts';
import { tenantAudit } from './tenant-audit.ts';
import { tenantCredentials } from './tenant-credentials.ts';
import { tenantList } from './tenant-list.ts';
import { tenantApply, tenantPlan } from './tenant-plan.ts';
import { tenantRotate } from './tenant-rotate.ts';
import { tenantRemove, tenantResume, tenantSuspend } from './tenant-state.ts';
import { transfer } from './transfer.ts';
import { up } from './up.ts';
import { userAdd } from './user-add.ts';
import { userExplain } from './user-explain.ts';
import { userList } from './user-list.ts';
import { userPolicy } from './user-policy.ts';
import { userRotate } from './user-rotate.ts';
import { userDisable, userEnable, userRemove } from './user-state.ts';
import { verify } from './verify.ts';

/** Every command, in the order of the help; a new one is one file and one line here. */
export const commands: readonly Register[] = [
  serve,
  server,
  mc,
  up,
  down,
  provision,
  userAdd,
  userRotate,
  userDisable,
  userEnable,
  userRemove,
  userList,
  userPolicy,
  userExplain,
  tenantAdd,
  tenantPlan,
  tenantApply,
  tenantList,
  tenantRotate,
  tenantSuspend,
  tenantResume,
  tenantRemove,
  tenantCredentials,
  tenantAudit,
  verify,
  doctor,
  fsck,
  compact,
  indexBackup,
  indexRestore,
  configShow,
  backupInit,
  backupRun,
  backupDaemon,
  backupList,
  backupStatus,
  backupRestore,
  backupVerify,
  backupDrill,
  backupPrune,
  backupPassphrase,
  render,
  renderCredentials,
  observabilityCheck,
  transfer,
  artifactPush,
  artifactPull,
  artifactList,
  artifactShow,
  artifactDiff,
  artifactPromote,
  artifactRollback,
  artifactHistory,
  artifactUrl,
  artifactVerify,
  artifactGc,
  artifactWatch,
  artifactSign,
  artifactFinish,
  artifactGrant,
  artifactPack,
  artifactSbom,
  artifactSend,
  artifactServe,
  artifactToken,
  cost,
  credentialsCheck,
  providerList,
  providerShow,
  providerProbe,
  observabilityMigrate,
  observabilityVerify,
];
