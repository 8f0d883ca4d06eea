import { CommanderError } from 'commander';
import { ArtifactError, type ArtifactErrorCode } from '../artifacts/errors.ts';
import { BackupError } from '../backup/index.ts';
import { ClientError } from '../client/errors.ts';
import { ApiError } from '../control/api-error.ts';
import { HostError, UsageError, unreachable } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import { MigrationError } from '../observability/migrate/index.ts';
import { PolicyError } from '../policy/index.ts';
import { PlanProblemsError, ProvisionError, type ProvisionErrorCode } from '../provision/errors.ts';
import { SettingsError } from '../settings/index.ts';
import { RenderError } from '../stack/index.ts';
import { TenantError } from '../tenants/errors.ts';
import { UserError } from '../users/index.ts';

/** The exit codes of every command; from 64 on those of BSD's sysexits.h. */
export const exitCode = {
  done: 0,
  failed: 1,
  /** A plan has changes, or a check has findings. */
  findings: 2,
  usage: 64,
  unreachable: 69,
  denied: 77,
  configuration: 78,
} as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** The only map from errors to exit codes. */
export function exitCodeFor(error: unknown): ExitCode {
  if (error instanceof SettingsError || error instanceof RenderError || error instanceof MigrationError)
    return exitCode.configuration;
  if (error instanceof PolicyError) return exitCode.configuration;
  if (error instanceof TenantError) return tenantExitCode(error);
  if (error instanceof UserError) return userExitCode(error);
  if (error instanceof BackupError) return backupExitCode(error);
  if (error instanceof UsageError) return exitCode.usage;
  // Commander ends --help and --version by an error of its own, with the code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  if (error instanceof ClientError) return clientExitCode(error);
  if (error instanceof PlanProblemsError) {
    const denied = error.problems.some(({ kind }) => kind === 'denied' || kind === 'taken');
    return denied ? exitCode.denied : exitCode.configuration;
  }
  if (error instanceof ProvisionError) return provisionExitCode(error.code);
  if (error instanceof ArtifactError) return artifactExitCode(error.code);
  if (error instanceof ApiError) return apiExitCode(error);
  if (error instanceof HostError) return hostExitCode(error);
  return exitCode.failed;
}

function hostExitCode({ code }: HostError): ExitCode {
  switch (code) {
    case 'permission':
      return exitCode.denied;
    case 'data-directory-format':
      return exitCode.configuration;
    case 'address-in-use':
    case 'data-directory-held':
    case 'host':
      return exitCode.failed;
    default:
      return unreachable(code);
  }
}

function apiExitCode({ code }: ApiError): ExitCode {
  switch (code) {
    case 'unreachable':
      return exitCode.unreachable;
    case 'denied':
      return exitCode.denied;
    case 'throttled':
    case 'refused':
    case 'protocol':
      return exitCode.failed;
    default:
      return unreachable(code);
  }
}

function artifactExitCode(code: ArtifactErrorCode): ExitCode {
  switch (code) {
    case 'invalid':
    case 'unpackable':
      return exitCode.usage;
    case 'no-conditional-writes':
    case 'no-signed-uploads':
      return exitCode.configuration;
    case 'signature':
    case 'ticket':
      return exitCode.denied;
    case 'no-such-version':
    case 'no-such-channel':
    case 'version-exists':
    case 'channel-moved':
    case 'content-missing':
    case 'content-damaged':
    case 'content-changed':
    case 'unsafe-archive':
    case 'target':
    case 'document':
    case 'checks-failed':
    case 'condemned':
    case 'command-failed':
      return exitCode.failed;
    default:
      return unreachable(code);
  }
}

function provisionExitCode(code: ProvisionErrorCode): ExitCode {
  switch (code) {
    case 'plan-file':
      return exitCode.usage;
    case 'lockout':
      return exitCode.configuration;
    case 'not-kept':
    case 'world-moved':
    case 'bucket-not-empty':
    case 'not-confirmed':
      return exitCode.failed;
    default:
      return unreachable(code);
  }
}

function backupExitCode({ code }: BackupError): ExitCode {
  switch (code) {
    case 'wrong-key':
      return exitCode.denied;
    case 'configuration':
    case 'no-repository':
    case 'repository-format':
      return exitCode.configuration;
    case 'no-such-snapshot':
      return exitCode.usage;
    case 'not-mdbx':
    case 'structure':
    case 'not-converged':
    case 'method':
    case 'source':
    case 'hook':
    case 'repository-exists':
    case 'damaged':
    case 'target':
    case 'target-exists':
    case 'busy':
      return exitCode.failed;
    default:
      return unreachable(code);
  }
}

function tenantExitCode({ code }: TenantError): ExitCode {
  switch (code) {
    case 'no-such-tenant':
    case 'tenant-exists':
      return exitCode.usage;
    case 'refused':
    case 'manifest':
    case 'keys':
      return exitCode.configuration;
    default:
      return unreachable(code);
  }
}

function userExitCode({ code }: UserError): ExitCode {
  switch (code) {
    case 'server-key':
    case 'damaged':
      return exitCode.configuration;
    case 'invalid':
      return exitCode.usage;
    case 'no-such-user':
    case 'user-exists':
    case 'key-exists':
    case 'no-such-policy':
    case 'busy':
      return exitCode.failed;
    default:
      return unreachable(code);
  }
}

function clientExitCode({ code }: ClientError): ExitCode {
  switch (code) {
    case 'unreachable':
    case 'tls':
      return exitCode.unreachable;
    case 'bad-credentials':
    case 'denied':
    case 'owned-by-other':
      return exitCode.denied;
    case 'clock-skew':
    case 'wrong-region':
    case 'no-such-bucket':
    case 'no-such-key':
    case 'no-such-upload':
    case 'already-owned':
    case 'bucket-not-empty':
    case 'precondition-failed':
    case 'range':
    case 'checksum':
    case 'throttled':
    case 'not-implemented':
    case 'server':
    case 'refused':
    case 'protocol':
      return exitCode.failed;
    default:
      return unreachable(code);
  }
}

/** 0 only when no check failed; a warning or a skip is no failure. */
export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  const failed = findings.filter(({ status }) => status === 'fail');
  if (failed.length === 0) return exitCode.done;
  if (failed.some(({ id }) => id === 'settings')) return exitCode.configuration;
  if (failed.some(({ id }) => id === 'reachable' || id === 'tls')) return exitCode.unreachable;
  return failed.some(({ id }) => id === 'credentials') ? exitCode.denied : exitCode.findings;
}
