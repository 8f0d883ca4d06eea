import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import { signingKey } from '../artifacts/keys.ts';
import { type ArtifactOptions, artifactVerb, printJson, whoAmI, withStore } from '../artifacts/session.ts';
import type { CliContext, Register } from '../context.ts';

interface Options extends ArtifactOptions {
  readonly key: string;
  readonly builder?: string;
  readonly buildType: string;
  readonly source?: string;
  readonly sbom?: string;
}

export const artifactSign: Register = (program, context) => {
  const command = artifactVerb(program, 'sign <reference>', 'Sign where an artifact comes from, with an Ed25519 key.')
    .requiredOption('--key <file>', 'the private key, PEM without a pass phrase: a file or a mounted secret')
    .option('--builder <uri>', 'who built it (default: the CI run, else user and machine)')
    .option('--build-type <uri>', 'what kind of build', 'https://slsa.dev/provenance/v1')
    .option('--source <uri>', 'where the source is, such as git+https://…; the revision is that of the push')
    .option('--sbom <file>', 'attach this bill of materials, and sign that it belongs to it (SPDX or CycloneDX JSON)')
    .addHelpText(
      'after',
      '\nThe signature covers the manifest, and so name, version, labels and content. Keys:\n  openssl genpkey -algorithm ed25519 -out key.pem\n  openssl pkey -in key.pem -pubout -out key.pub\n\nExample:\n  bucketwright artifact sign projections/orders:1.4.2 --key /run/secrets/artifact_key',
    );
  command.action(async (reference: string, options: Options) => {
    const key = await signingKey(options.key);
    const bill = options.sbom === undefined ? undefined : read(options.sbom);
    await withStore(command, context, options, async (store) => {
      const { artifact } = await store.resolve(reference);
      const { buildType, source, builder = builderOf(context) } = options;
      const keyId = await store.attest(artifact, { builder, buildType, source }, key);
      if (bill !== undefined) await store.attachBill(artifact, bill, key);
      if (options.json === true) return printJson(context, { artifact, keyId });
      context.out.write(`${artifact.name}:${artifact.version} ${artifact.digest}\nsigned by key ${keyId}\n`);
    });
  });
};

function builderOf(context: CliContext): string {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, CI_JOB_URL } = context.environment;
  if (GITHUB_SERVER_URL && GITHUB_REPOSITORY && GITHUB_RUN_ID) {
    return `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  }
  return CI_JOB_URL || `urn:bucketwright:host:${encodeURIComponent(hostname())}:${encodeURIComponent(whoAmI(context))}`;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown';
    throw new UsageError(`${path} cannot be read (${code})`, { subject: path, advice: 'check --sbom', cause: error });
  }
}
