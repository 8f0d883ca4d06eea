import type { Register } from '../context.ts';
import { configShow } from './config-show.ts';
import { doctor } from './doctor.ts';
import { provision } from './provision.ts';
import { verify } from './verify.ts';

/** Every command, in the order of the help; a new one is one file and one line here. */
export const commands: readonly Register[] = [provision, verify, doctor, configShow];
