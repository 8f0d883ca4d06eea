import type { RenderedFile } from '../stack/index.ts';
import { renderObservability } from './compose/observability.ts';
import { renderObservabilityS3 } from './compose/observability-s3.ts';
import { renderPlatform } from './compose/platform.ts';
import { renderEmbedded, renderMinio } from './compose/s3-service.ts';
import { renderSwarm } from './swarm/observability.ts';
import { renderSwarmS3 } from './swarm/observability-s3.ts';
import { renderSwarmStore } from './swarm/store.ts';

/** Compose and Swarm files. The committed ones are what these render for the defaults. */
export const deployFiles: readonly RenderedFile[] = [
  { kind: 'compose', path: 'docker-compose.yml', render: renderPlatform },
  { kind: 'compose', path: 'docker-compose.s3.yml', render: renderMinio },
  { kind: 'compose', path: 'docker-compose.s3-embedded.yml', render: renderEmbedded },
  { kind: 'compose', path: 'observability/docker-compose.yml', render: renderObservability },
  { kind: 'compose', path: 'observability/docker-compose.s3.yml', render: renderObservabilityS3 },
  { kind: 'swarm', path: 'deploy/swarm/observability.yml', render: renderSwarm },
  { kind: 'swarm', path: 'deploy/swarm/observability.s3.yml', render: renderSwarmS3 },
  { kind: 'swarm', path: 'deploy/swarm/store.yml', render: renderSwarmStore },
];
