/** `bucketwright observability check`: what goes wrong with Loki and Tempo on S3, found in the files people have. */
export { checkLifecycle, type LifecycleCheck, type LifecycleRule } from './lifecycle.ts';
export { parseLifecycleJson } from './lifecycle-json.ts';
export { checkLiveLifecycle } from './live.ts';
export { checkLoki, type LokiCheck, lokiDirectories } from './loki.ts';
export { checkSharedBucket } from './shared-bucket.ts';
export { checkTempo, type TempoCheck, tempoDirectories } from './tempo.ts';
export { checkVolumes } from './volumes.ts';
