import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { Secret } from '../core/secret.ts';
import { cannedPolicies } from './canned-policies.ts';
import { UserDirectory } from './user-directory.ts';
import { userFilePath } from './user-file.ts';
import { UserStore } from './user-store.ts';
import { serverKeyPath } from './vault.ts';

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'users-'));
});
afterEach(() => rm(data, { recursive: true }));

const directory = (serverKey?: Secret, now?: () => number) =>
  new UserDirectory({ data, serverKey, clock: now === undefined ? systemClock : { now }, logger: silentLogger });

describe('users', () => {
  it('a key is found by a directory that was there before, with what it may', async () => {
    const known = directory();
    const users = new UserStore(data, undefined);
    const { accessKeyId, secretAccessKey } = await users.add({
      name: 'alice',
      policies: { all: cannedPolicies.readwrite ?? '' },
    });
    const found = known.find(accessKeyId);
    expect(found?.secret.reveal()).toBe(secretAccessKey.reveal());
    expect(found?.user).toMatchObject({
      name: 'alice',
      account: 'root',
      owner: false,
      arn: 'arn:aws:iam::root:user/alice',
    });
    expect(found?.user.policies).toHaveLength(1);
  });

  it('no secret lies in the file, and both files are private', async () => {
    const { secretAccessKey } = await new UserStore(data, undefined).add({ name: 'alice' });
    expect(await readFile(userFilePath(data), 'utf8')).not.toContain(secretAccessKey.reveal());
    for (const path of [userFilePath(data), serverKeyPath(data)]) expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('disabling and removing end the keys of a running server', async () => {
    const users = new UserStore(data, undefined);
    const { accessKeyId } = await users.add({ name: 'alice' });
    await users.setEnabled('alice', false);
    expect(directory().find(accessKeyId)).toBeUndefined();
    await users.setEnabled('alice', true);
    const known = directory();
    expect(known.find(accessKeyId)).toBeDefined();
    await users.remove('alice');
    await expect.poll(() => known.find(accessKeyId)).toBeUndefined();
  });

  it('rotation lets the old key live for the overlap and no longer', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const users = new UserStore(data, undefined, () => now);
    const first = await users.add({ name: 'alice' });
    const second = await users.rotate('alice', 3_600_000);
    expect(second).toMatchObject({ replaced: [first.accessKeyId], until: '2026-01-01T01:00:00.000Z' });
    const known = directory(undefined, () => now);
    now += 3_599_999;
    expect(known.find(first.accessKeyId)).toBeDefined();
    now += 1;
    expect(known.find(first.accessKeyId)).toBeUndefined();
    expect(known.find(second.accessKeyId)).toBeDefined();
    const third = await users.rotate('alice', 0);
    expect(users.get('alice').keys.map(({ id }) => id)).toEqual([third.accessKeyId]);
  });

  it('commands at the same moment lose nothing', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `user-${at}`);
    const keys = await Promise.all(names.map((name) => new UserStore(data, undefined).add({ name })));
    const known = directory();
    for (const { accessKeyId, secretAccessKey } of keys)
      expect(known.find(accessKeyId)?.secret.reveal()).toBe(secretAccessKey.reveal());
  });

  it('the wrong server key is told, and adds nothing', async () => {
    await new UserStore(data, new Secret('a'.repeat(32))).add({ name: 'alice' });
    const wrong = new Secret('b'.repeat(32));
    await expect(new UserStore(data, wrong).add({ name: 'bob' })).rejects.toMatchObject({ code: 'server-key' });
    expect(() => directory(wrong)).toThrow(expect.objectContaining({ code: 'server-key' }));
  });

  it('a lost server key is told, and no other takes its place', async () => {
    const users = new UserStore(data, undefined);
    await users.add({ name: 'alice' });
    await rm(serverKeyPath(data));
    await expect(users.rotate('alice', 0)).rejects.toMatchObject({ code: 'server-key' });
    expect(() => directory()).toThrow(expect.objectContaining({ code: 'server-key' }));
    await expect(stat(serverKeyPath(data))).rejects.toMatchObject({ code: 'ENOENT' });
    await users.remove('alice');
    expect(directory().find('x')).toBeUndefined();
  });

  it('secrets swapped between keys are noticed', async () => {
    const users = new UserStore(data, undefined);
    await users.add({ name: 'alice' });
    await users.add({ name: 'bob' });
    const file = JSON.parse(await readFile(userFilePath(data), 'utf8'));
    [file.users[0].keys[0].secret, file.users[1].keys[0].secret] = [
      file.users[1].keys[0].secret,
      file.users[0].keys[0].secret,
    ];
    await writeFile(userFilePath(data), JSON.stringify(file));
    expect(() => directory()).toThrow(expect.objectContaining({ code: 'server-key' }));
  });

  it('a file that was damaged while the server runs changes nothing for it', async () => {
    const { accessKeyId } = await new UserStore(data, undefined).add({ name: 'alice' });
    const known = directory();
    await writeFile(userFilePath(data), '{');
    expect(known.find('UNKNOWN')).toBeUndefined();
    expect(known.find(accessKeyId)).toBeDefined();
  });

  it('a user whose policy cannot be read is denied everything', async () => {
    const { accessKeyId } = await new UserStore(data, undefined).add({
      name: 'alice',
      policies: { all: cannedPolicies.readwrite ?? '' },
    });
    const file = JSON.parse(await readFile(userFilePath(data), 'utf8'));
    file.users[0].policies.all = '{"Statement":';
    await writeFile(userFilePath(data), JSON.stringify(file));
    expect(directory().find(accessKeyId)?.user.policies[0]?.statements[0]?.effect).toBe('Deny');
  });

  it.each([
    [{ name: 'root' }],
    [{ name: 'a b' }],
    [{ name: '' }],
    [{ name: 'x', account: '../x' }],
    [{ name: 'x', owner: true }],
    [{ name: 'x', key: { accessKeyId: 'a b', secretAccessKey: new Secret('12345678') } }],
    [{ name: 'x', policies: { p: '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}' } }],
  ])('refuses %j', async (wanted) => {
    await expect(new UserStore(data, undefined).add(wanted)).rejects.toThrow();
    expect(new UserStore(data, undefined).list()).toEqual([]);
  });
});
