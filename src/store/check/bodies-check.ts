import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/errors.ts';
import type { Finding } from '../../core/finding.ts';
import { bodyKey, bodyOfKey, bodyPath, segmentPath } from '../body/reference.ts';
import { Segments } from '../body/segments.ts';
import type { Index } from '../index/database.ts';
import { bucketPrefix } from '../index/keys.ts';
import type { OpenDirectory } from './access.ts';
import type { Repair } from './repair.ts';
import type { Tallies } from './tally.ts';
import { keysOf } from './walk.ts';

/** The other way round: does everything that is kept belong to something? Needs the directory alone. */
export async function* checkFiles(
  { directory, index }: OpenDirectory,
  tallies: Tallies,
  bucketNames: ReadonlyMap<number, string>,
  repairs: Repair[],
): AsyncGenerator<Finding> {
  if (!tallies.whole) {
    yield {
      id: 'references',
      status: 'skip',
      subject: directory,
      found: 'an entry could not be read, so what seems to belong to nobody may be its',
      advice: 'see to the unreadable entries first',
    };
    return;
  }
  const before = repairs.length;
  yield* checkReferences(index, tallies, repairs);
  yield* checkUnreferenced(index, tallies, repairs);
  yield* checkUsage(index, tallies, bucketNames, repairs);
  yield* checkDisk(directory, index, repairs);
  if (repairs.length === before) {
    yield { id: 'references', status: 'ok', subject: directory, found: 'every file and body belongs to something' };
  }
}

function* checkReferences(index: Index, tallies: Tallies, repairs: Repair[]): Generator<Finding> {
  for (const key of keysOf(index, index.files)) {
    const body = bodyOfKey(key);
    const file = index.files.get(key);
    const counted = tallies.bodies.count(body);
    if (file === undefined || file.references === counted) continue;
    repairs.push(
      counted === 0
        ? { kind: 'drop-file', body }
        : { kind: 'set-references', body, size: file.size, references: counted },
    );
    yield {
      id: 'reference-count',
      status: 'warn',
      subject: bodyPath(body),
      found: `${file.references} references are noted, ${counted} were found`,
      why: counted > file.references ? 'the file would go while an object still needs it' : 'the file would never go',
      advice: 'bucketwright fsck --repair sets what was found',
    };
  }
}

function* checkUnreferenced(index: Index, tallies: Tallies, repairs: Repair[]): Generator<Finding> {
  for (const kind of ['inline', 'manifests'] as const) {
    const tally = kind === 'inline' ? tallies.bodies : tallies.manifests;
    for (const key of keysOf(index, index[kind])) {
      const body = bodyOfKey(key);
      if (tally.count(body) > 0) continue;
      repairs.push({ kind: 'drop-value', database: kind, body });
      yield {
        id: 'unreferenced',
        status: 'warn',
        subject: `${kind} ${body.segment}/${body.sequence}`,
        found: `${kind === 'inline' ? 'bytes' : 'a list of parts'} in the index that nothing refers to`,
        why: 'it takes room for nothing',
        advice: 'bucketwright fsck --repair removes it',
      };
    }
  }
}

function* checkUsage(
  index: Index,
  tallies: Tallies,
  bucketNames: ReadonlyMap<number, string>,
  repairs: Repair[],
): Generator<Finding> {
  for (const [bucketId, name] of bucketNames) {
    const counted = tallies.usage.get(bucketId) ?? { objects: 0, bytes: 0 };
    const noted = index.usage.get(bucketPrefix(bucketId)) ?? { objects: 0, bytes: 0 };
    if (counted.objects === noted.objects && counted.bytes === noted.bytes) continue;
    repairs.push({ kind: 'set-usage', bucketId, bucket: name, ...counted });
    yield {
      id: 'usage',
      status: 'warn',
      subject: name,
      found: `${noted.objects} objects of ${noted.bytes} bytes are noted, ${counted.objects} of ${counted.bytes} were found`,
      why: 'metrics show the wrong figures',
      advice: 'bucketwright fsck --repair sets what was found',
    };
  }
}

/** Files that nothing in the index refers to. What a crash left is removed by the next start and not named here. */
async function* checkDisk(directory: string, index: Index, repairs: Repair[]): AsyncGenerator<Finding> {
  const open = new Set(Segments.open(index).map(({ segment }) => segment));
  for (const outer of await namesIn(join(directory, 'bodies'))) {
    if (!/^[0-9a-f]{2}$/.test(outer)) {
      yield foreign(`bodies/${outer}`);
      continue;
    }
    for (const inner of await namesIn(join(directory, 'bodies', outer))) {
      const segment = /^[0-9a-f]{8}$/.test(inner) ? Number.parseInt(inner, 16) : undefined;
      const known = segment !== undefined && segmentPath(segment) === `bodies/${outer}/${inner}`;
      if (segment !== undefined && open.has(segment)) continue;
      for (const name of known ? await namesIn(join(directory, 'bodies', outer, inner)) : [undefined]) {
        const path = ['bodies', outer, inner, ...(name === undefined ? [] : [name])].join('/');
        if (known && name !== undefined && /^[0-9a-f]{8}$/.test(name)) {
          const key = bodyKey({ segment, sequence: Number.parseInt(name, 16) });
          if (index.files.doesExist(key) || index.trash.doesExist(key)) continue;
          repairs.push({ kind: 'set-aside', path });
          yield orphan(path);
        } else yield foreign(path);
      }
    }
  }
}

function orphan(path: string): Finding {
  return {
    id: 'orphan-file',
    status: 'warn',
    subject: path,
    found: 'a body file that nothing in the index refers to',
    why: 'it takes room; after an older index was restored it may hold an object that was stored since',
    advice: 'bucketwright fsck --repair moves it to lost+found/ in the data directory',
  };
}

function foreign(path: string): Finding {
  return {
    id: 'foreign-file',
    status: 'warn',
    subject: path,
    found: 'not a file of bucketwright',
    why: 'somebody else writes to the data directory',
    advice: 'see what it is, and move it away',
  };
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
