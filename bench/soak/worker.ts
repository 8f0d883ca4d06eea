/** One client's endless mixed load on keys of its own, so that it knows what every answer must be. */
import { KiB, MiB } from '../../src/core/sizes.ts';
import { BrokenOff, type Reply, SoakClient } from './client.ts';
import { contentOf } from './content.ts';

export const PLAIN = 'soak';
export const VERSIONED = 'soak-versions';
const KEYS = 40;
/** Keys that take large bodies; the rest stay below 700 KiB, so that the data has a bounded size. */
const LARGE_KEYS = 2;

interface Known {
  readonly seed: number;
  readonly size: number;
}

/** What one operation was found to do wrong. */
export class Wrong extends Error {}

export class Worker {
  readonly #client: SoakClient;
  readonly #name: string;
  readonly #known = new Map<string, Known>();
  readonly #versions = new Map<string, { readonly id: string; readonly content: Known }>();
  #seed: number;
  done = 0;
  bytes = 0;

  constructor(port: number, number: number) {
    this.#client = new SoakClient(port);
    this.#name = `client-${number}`;
    this.#seed = number * 1_000_000;
  }

  close(): void {
    this.#client.close();
  }

  /** @throws Wrong */
  async step(): Promise<void> {
    const dice = Math.random();
    const key = `${this.#name}/${Math.floor(Math.random() * KEYS)}`;
    if (dice < 0.3) await this.#get(key);
    else if (dice < 0.55) await this.#put(key);
    else if (dice < 0.6) await this.#list();
    else if (dice < 0.67) await this.#delete(key);
    else if (dice < 0.71) await this.#copy(key);
    else if (dice < 0.73) await this.#multipart();
    else if (dice < 0.75) await this.#breakOff(key);
    else if (dice < 0.77) await this.#conditional(key);
    else await this.#version(`${this.#name}/${Math.floor(Math.random() * 4)}`);
    this.done += 1;
  }

  /** Everything this client knows of, read back. @throws Wrong */
  async checkAll(): Promise<void> {
    for (let at = 0; at < KEYS; at += 1) await this.#get(`${this.#name}/${at}`);
  }

  #next(size: number): Known {
    this.#seed += 1;
    return { seed: this.#seed, size };
  }

  #anyContent(key: string): Known {
    const isLarge = Number(key.split('/')[1]) < LARGE_KEYS;
    if (isLarge) return this.#next(Math.floor((2 + Math.random() * 14) * MiB));
    return this.#next(Math.floor(Math.random() * (Math.random() < 0.7 ? 8 * KiB : 700 * KiB)));
  }

  async #get(key: string): Promise<void> {
    const known = this.#known.get(key);
    const isRanged = known !== undefined && known.size > 10 && Math.random() < 0.4;
    if (!isRanged) {
      const reply = await this.#ask('GET', `/${PLAIN}/${key}`, known === undefined ? 404 : 200);
      if (known !== undefined) same(reply.body, contentOf(known.seed, known.size), key);
      return;
    }
    const from = Math.floor(Math.random() * known.size);
    const to = Math.min(known.size - 1, from + Math.floor(Math.random() * MiB));
    const range = { range: `bytes=${from}-${to}` };
    const reply = await this.#ask('GET', `/${PLAIN}/${key}`, 206, undefined, range);
    same(reply.body, contentOf(known.seed, known.size).subarray(from, to + 1), key);
  }

  async #put(key: string): Promise<void> {
    const content = this.#anyContent(key);
    await this.#ask('PUT', `/${PLAIN}/${key}`, 200, contentOf(content.seed, content.size));
    this.#known.set(key, content);
  }

  async #delete(key: string): Promise<void> {
    await this.#ask('DELETE', `/${PLAIN}/${key}`, 204);
    this.#known.delete(key);
  }

  async #copy(key: string): Promise<void> {
    const source = [...this.#known.keys()].find((known) => known !== key);
    const content = source === undefined ? undefined : this.#known.get(source);
    if (content === undefined) return;
    await this.#ask('PUT', `/${PLAIN}/${key}`, 200, undefined, { 'x-amz-copy-source': `/${PLAIN}/${source}` });
    this.#known.set(key, content);
  }

  async #list(): Promise<void> {
    const { body } = await this.#ask(
      'GET',
      `/${PLAIN}?list-type=2&prefix=${encodeURIComponent(`${this.#name}/`)}`,
      200,
    );
    const keys = [...body.toString().matchAll(/<Key>([^<]+)</g)].map(([, key = '']) => key);
    const expected = [...this.#known.keys()].sort();
    if (keys.join() !== expected.join())
      throw new Wrong(`listing of ${this.#name}: ${keys.length}, not ${expected.length}`);
  }

  async #multipart(): Promise<void> {
    const key = `${this.#name}/0`;
    const target = `/${PLAIN}/${key}`;
    const begun = await this.#ask('POST', `${target}?uploads=`, 200);
    const uploadId = /<UploadId>([^<]+)</.exec(begun.body.toString())?.[1] ?? '';
    const content = this.#next(11 * MiB);
    const body = contentOf(content.seed, content.size);
    let xml = '';
    for (let part = 0; part < 3; part += 1) {
      const bytes = body.subarray(part * 5 * MiB, Math.min(body.length, (part + 1) * 5 * MiB));
      const put = await this.#ask('PUT', `${target}?partNumber=${part + 1}&uploadId=${uploadId}`, 200, bytes);
      xml += `<Part><PartNumber>${part + 1}</PartNumber><ETag>${put.etag}</ETag></Part>`;
    }
    if (Math.random() < 0.3) {
      await this.#ask('DELETE', `${target}?uploadId=${uploadId}`, 204);
      return;
    }
    const list = Buffer.from(`<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`);
    await this.#ask('POST', `${target}?uploadId=${uploadId}`, 200, list);
    this.#known.set(key, content);
  }

  /** What was there stays: an upload that breaks off has done nothing. */
  async #breakOff(key: string): Promise<void> {
    const { seed, size } = this.#next(MiB);
    try {
      await this.#client.send('PUT', `/${PLAIN}/${key}`, contentOf(seed, size), {}, 300 * KiB);
      throw new Wrong('an upload that broke off was answered');
    } catch (error) {
      if (!(error instanceof BrokenOff)) throw error;
    }
    await this.#get(key);
  }

  async #conditional(key: string): Promise<void> {
    // A large body would still be on its way when it is refused, and its connection be closed.
    const content = this.#next(Math.floor(Math.random() * 700 * KiB));
    const bytes = contentOf(content.seed, content.size);
    const status = this.#known.has(key) ? 412 : 200;
    await this.#ask('PUT', `/${PLAIN}/${key}`, status, bytes, { 'if-none-match': '*' });
    if (status === 200) this.#known.set(key, content);
  }

  /** Older versions go by a lifecycle rule while this goes on; the current one never does. */
  async #version(key: string): Promise<void> {
    const target = `/${VERSIONED}/${key}`;
    const known = this.#versions.get(key);
    if (known !== undefined && Math.random() < 0.3) {
      const reply = await this.#ask('GET', `${target}?versionId=${known.id}`, 200);
      same(reply.body, contentOf(known.content.seed, known.content.size), key);
    } else if (Math.random() < 0.2) {
      await this.#ask('DELETE', target, 204);
      await this.#ask('GET', target, 404);
      this.#versions.delete(key);
    } else {
      const content = this.#next(Math.floor(Math.random() * 80 * KiB));
      const put = await this.#ask('PUT', target, 200, contentOf(content.seed, content.size));
      this.#versions.set(key, { id: put.versionId ?? '', content });
    }
  }

  async #ask(
    method: string,
    target: string,
    status: number,
    body?: Buffer,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Reply> {
    const reply = await this.#client.send(method, target, body, headers).catch((error: unknown) => {
      throw new Wrong(`${method} ${target} (${body?.length ?? 0} bytes): ${String(error)}`);
    });
    this.bytes += (body?.length ?? 0) + reply.body.length;
    if (reply.status !== status) {
      throw new Wrong(`${method} ${target}: ${reply.status}, not ${status}: ${reply.body.toString().slice(0, 300)}`);
    }
    return reply;
  }
}

function same(found: Buffer, expected: Buffer, key: string): void {
  if (!found.equals(expected)) throw new Wrong(`${key}: ${found.length} bytes are not the ${expected.length} expected`);
}
