import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../core/logger.ts';
import { CURRENT_FORMAT, type Migration, migrations, prepareFormat } from './format.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bucketwright-format-'));
});
afterEach(() => rm(directory, { recursive: true }));

const mark = (format: number) => `bucketwright format ${format}\n`;
const formatFile = () => readFile(join(directory, 'FORMAT'), 'utf8');

/** A step that rewrites the one file of the index, as a real one rewrites entries; it may run twice. */
const step = (from: number, run: (index: string) => Promise<void> = async () => {}): Migration => ({
  from,
  async run(data) {
    await writeFile(join(data, 'index/entries'), `format ${from + 1}`);
    await run(join(data, 'index'));
  },
});

async function older(): Promise<void> {
  await mkdir(join(directory, 'index'));
  await writeFile(join(directory, 'index/entries'), 'format 1');
  await writeFile(join(directory, 'FORMAT'), mark(1));
}

it('marks a new directory', async () => {
  await prepareFormat(directory, silentLogger);
  expect(await formatFile()).toBe(mark(CURRENT_FORMAT));
});

it('knows a way from every older format to the current one', () => {
  const steps = Array.from({ length: CURRENT_FORMAT - 1 }, (_, index) => index + 1);
  expect(migrations.map(({ from }) => from)).toEqual(steps);
});

it('refuses a newer format, a foreign mark, and an index without a mark', async () => {
  await writeFile(join(directory, 'FORMAT'), mark(CURRENT_FORMAT + 1));
  await expect(prepareFormat(directory, silentLogger)).rejects.toMatchObject({ code: 'data-directory-format' });
  await writeFile(join(directory, 'FORMAT'), 'something else');
  await expect(prepareFormat(directory, silentLogger)).rejects.toMatchObject({ code: 'data-directory-format' });
  await rm(join(directory, 'FORMAT'));
  await mkdir(join(directory, 'index'));
  await expect(prepareFormat(directory, silentLogger)).rejects.toMatchObject({ code: 'data-directory-format' });
});

it('migrates an older one step by step, and then drops the copy it kept', async () => {
  await older();
  await prepareFormat(directory, silentLogger, 3, [step(1), step(2)]);
  expect(await formatFile()).toBe(mark(3));
  expect(await readFile(join(directory, 'index/entries'), 'utf8')).toBe('format 3');
  expect(await readdir(directory)).toEqual(['FORMAT', 'index']);
});

it('keeps no copy where nothing that is there changes', async () => {
  await older();
  const failing: Migration = {
    from: 1,
    onlyAdds: true,
    async run() {
      throw new Error('power cut');
    },
  };
  await expect(prepareFormat(directory, silentLogger, 2, [failing])).rejects.toThrow('power cut');
  expect(await readdir(directory)).toEqual(['FORMAT', 'index']);
});

it('goes on where it was interrupted, with the copy of the first state kept until the end', async () => {
  await older();
  const failing = step(2, async () => {
    throw new Error('power cut');
  });
  await expect(prepareFormat(directory, silentLogger, 3, [step(1), failing])).rejects.toThrow('power cut');
  expect(await formatFile()).toBe(mark(2));
  expect(await readFile(join(directory, 'index.before-format-3/entries'), 'utf8')).toBe('format 1');
  await prepareFormat(directory, silentLogger, 3, [step(1), step(2)]);
  expect(await formatFile()).toBe(mark(3));
  expect(await readdir(directory)).toEqual(['FORMAT', 'index']);
});

it('refuses a format that no step leads away from', async () => {
  await older();
  await expect(prepareFormat(directory, silentLogger, 3, [step(2)])).rejects.toMatchObject({
    code: 'data-directory-format',
  });
});
