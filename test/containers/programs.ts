import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/temporary.ts';
import { docker } from './docker.ts';

/** Where the published images have their program and their data; both run as user 10001, without a shell. */
const layouts = {
  loki: { program: '/usr/bin/loki', data: '/loki' },
  tempo: { program: '/tempo', data: '/var/tempo' },
} as const;

/** Builds an image around the real program as the published one is laid out: those need a registry. */
export async function buildProgram(name: keyof typeof layouts, binary: string, base: string, tag: string) {
  const { program, data } = layouts[name];
  await using directory = await temporaryDirectory(`image-${name}`);
  await copyFile(binary, join(directory.path, 'program'));
  await writeFile(
    join(directory.path, 'Dockerfile'),
    `FROM ${base}\nCOPY --chmod=755 program ${program}\nRUN mkdir -p ${data} && chown 10001:10001 ${data}\nUSER 10001:10001\nENTRYPOINT ["${program}"]\n`,
  );
  await docker(['build', '-t', tag, directory.path], {
    timeoutMs: 300_000,
    env: { ...process.env, DOCKER_BUILDKIT: '1' },
  });
}
