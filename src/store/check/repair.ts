import { dirname, join } from 'node:path';
import { unreachable } from '../../core/errors.ts';
import { makeDirectoryDurably, moveDurably } from '../../fs/durable.ts';
import { bodyKey, bodyPath } from '../body/reference.ts';
import { bucketPrefix } from '../index/keys.ts';
import { transact } from '../index/transact.ts';
import type { OpenDirectory } from './access.ts';

interface BodyNumber {
  readonly segment: number;
  readonly sequence: number;
}

/**
 * What can be put right without guessing: nothing here touches an object or the bytes of one. Damaged objects are named
 * and left; files are moved, never deleted.
 */
export type Repair =
  /** The entry of a file that no object refers to goes; the file itself is set aside. */
  | { readonly kind: 'drop-file'; readonly body: BodyNumber }
  | { readonly kind: 'set-references'; readonly body: BodyNumber; readonly size: number; readonly references: number }
  | { readonly kind: 'drop-value'; readonly database: 'inline' | 'manifests'; readonly body: BodyNumber }
  | {
      readonly kind: 'set-usage';
      readonly bucketId: number;
      readonly bucket: string;
      readonly objects: number;
      readonly bytes: number;
    }
  | { readonly kind: 'set-aside'; readonly path: string };

export const LOST_AND_FOUND = 'lost+found';

/** One line for people. */
export function describeRepair(repair: Repair): string {
  switch (repair.kind) {
    case 'drop-file':
      return `forget ${bodyPath(repair.body)}, move the file to ${LOST_AND_FOUND}/`;
    case 'set-references':
      return `note ${repair.references} references to ${bodyPath(repair.body)}`;
    case 'drop-value':
      return `remove ${repair.database} ${repair.body.segment}/${repair.body.sequence} from the index`;
    case 'set-usage':
      return `count ${repair.objects} objects of ${repair.bytes} bytes in ${repair.bucket}`;
    case 'set-aside':
      return `move ${repair.path} to ${LOST_AND_FOUND}/`;
    default:
      return unreachable(repair);
  }
}

/** All changes of the index in one commit, then the files. May be interrupted and run again. */
export async function applyRepairs({ directory, index }: OpenDirectory, repairs: readonly Repair[]): Promise<void> {
  await transact(index, () => {
    for (const repair of repairs) {
      switch (repair.kind) {
        case 'drop-file':
          index.files.removeSync(bodyKey(repair.body));
          index.sums.removeSync(bodyKey(repair.body));
          break;
        case 'set-references':
          index.files.putSync(bodyKey(repair.body), { size: repair.size, references: repair.references });
          break;
        case 'drop-value':
          index[repair.database].removeSync(bodyKey(repair.body));
          break;
        case 'set-usage':
          index.usage.putSync(bucketPrefix(repair.bucketId), { objects: repair.objects, bytes: repair.bytes });
          break;
        case 'set-aside':
          break;
        default:
          unreachable(repair);
      }
    }
  });
  for (const repair of repairs) {
    if (repair.kind === 'set-aside') await setAside(directory, repair.path);
    if (repair.kind === 'drop-file') await setAside(directory, bodyPath(repair.body));
  }
}

async function setAside(directory: string, path: string): Promise<void> {
  const target = join(directory, LOST_AND_FOUND, path);
  await makeDirectoryDurably(dirname(target));
  await moveDurably(join(directory, path), target);
}
