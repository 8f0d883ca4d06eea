import type { ServerId } from '../plan.ts';
import { startFile, startNull, startOurs, startOursOnAllCores } from './local.ts';
import { startMinio } from './minio.ts';
import { startMoto } from './moto.ts';
import { startFauxqs, startS3rver } from './peers.ts';
import { startRgw } from './rgw.ts';
import type { Server, StartOptions } from './server.ts';

/** One more peer is one line here and its id in plan.ts. */
export const starters: Readonly<Record<ServerId, (options: StartOptions) => Promise<Server>>> = {
  null: startNull,
  file: startFile,
  ours: startOurs,
  cores: startOursOnAllCores,
  s3rver: startS3rver,
  fauxqs: startFauxqs,
  moto: startMoto,
  rgw: startRgw,
  minio: startMinio,
};
