import { KiB } from '../../core/sizes.ts';
import { S3Error } from '../errors.ts';
import { decodeUtf8, percentDecode } from '../wire/text.ts';

/** All fields before the file, names and values (API reference, "POST Object"). */
const MAX_FIELDS_BYTES = 20 * KiB;
const MAX_FIELDS = 100;
const MAX_HEADER_BYTES = 8 * KiB;
/** RFC 2046 section 5.1.1. */
const MAX_BOUNDARY = 70;

export interface Form {
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly file: {
    /** As the browser names it, without its folders; empty when it does not. */
    readonly name: string;
    /** To be read once; what comes after the file is ignored, as S3 does it. */
    readonly chunks: AsyncIterable<Buffer>;
  };
}

/** @returns undefined when the body is no form */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const [type = '', ...rest] = (contentType ?? '').split(';');
  if (type.trim().toLowerCase() !== 'multipart/form-data') return undefined;
  const parameter = parameters(`;${rest.join(';')}`).get('boundary');
  return parameter === undefined || parameter === '' || parameter.length > MAX_BOUNDARY ? undefined : parameter;
}

/**
 * Reads a form up to the first byte of its file (RFC 7578). Memory holds the fields and one chunk. The file must come last:
 * what a form says of it must be known before it is written.
 * @throws S3Error `MalformedPOSTRequest`, `MaxPostPreDataLengthExceededError`, `InvalidArgument`
 */
export async function readForm(body: AsyncIterable<Buffer>, boundary: string): Promise<Form> {
  const parts = new PartReader(body, boundary);
  const fields = new Map<string, string>();
  let room = MAX_FIELDS_BYTES;
  while (await parts.next()) {
    const headers = await parts.until('\r\n\r\n', MAX_HEADER_BYTES);
    const { name, fileName } = disposition(headers);
    if (name.toLowerCase() === 'file') return { fields, file: { name: fileName, chunks: parts.content() } };
    const value = await parts.until(parts.delimiter, room);
    room -= name.length + value.length;
    if (room < 0 || fields.size === MAX_FIELDS) throw tooLong();
    const text = decodeUtf8(value);
    const lower = name.toLowerCase();
    if (text === undefined || fields.has(lower)) throw malformed();
    fields.set(lower, text);
  }
  throw new S3Error('InvalidArgument', 'POST requires exactly one file upload per request.', {
    elements: { ArgumentName: 'file', ArgumentValue: '0' },
  });
}

class PartReader {
  readonly delimiter: string;
  readonly #source: AsyncIterator<Buffer>;
  /** A form begins with its boundary; the line break before it belongs to every other one. */
  #buffer: Buffer = Buffer.from('\r\n');
  #begun = false;

  constructor(body: AsyncIterable<Buffer>, boundary: string) {
    this.#source = body[Symbol.asyncIterator]();
    this.delimiter = `\r\n--${boundary}`;
  }

  /** Goes to the next part's headers; false at the end of the form. */
  async next(): Promise<boolean> {
    if (!this.#begun) {
      this.#begun = true;
      // A preamble is allowed and never sent.
      await this.until(this.delimiter, MAX_HEADER_BYTES);
    }
    while (this.#buffer.length < 2) await this.#fill();
    if (this.#buffer.toString('latin1', 0, 2) === '--') return false;
    const padding = await this.until('\r\n', MAX_HEADER_BYTES);
    if (padding.some((byte) => byte !== 0x20 && byte !== 0x09)) throw malformed();
    return true;
  }

  /** What comes before the marker, which is skipped. */
  async until(marker: string, max: number): Promise<Buffer> {
    let from = 0;
    for (;;) {
      const at = this.#buffer.indexOf(marker, from, 'latin1');
      if (at !== -1 && at <= max) {
        const before = this.#buffer.subarray(0, at);
        this.#buffer = this.#buffer.subarray(at + marker.length);
        return before;
      }
      if (at !== -1 || this.#buffer.length > max + marker.length) throw tooLong();
      from = Math.max(0, this.#buffer.length - marker.length + 1);
      await this.#fill();
    }
  }

  /** The rest of this part, as it comes. */
  async *content(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const at = this.#buffer.indexOf(this.delimiter, 0, 'latin1');
        // Short of the delimiter, its first bytes may be the last of this chunk.
        const safe = at === -1 ? this.#buffer.length - this.delimiter.length + 1 : at;
        if (safe > 0) {
          const chunk = this.#buffer.subarray(0, safe);
          this.#buffer = this.#buffer.subarray(safe);
          yield chunk;
        }
        if (at !== -1) return;
        await this.#fill();
      }
    } finally {
      await this.#source.return?.();
    }
  }

  async #fill(): Promise<void> {
    const { value, done } = await this.#source.next();
    if (done === true) throw malformed();
    this.#buffer = this.#buffer.length === 0 ? value : Buffer.concat([this.#buffer, value]);
  }
}

function disposition(headers: Buffer): { readonly name: string; readonly fileName: string } {
  const text = decodeUtf8(headers);
  if (text === undefined) throw malformed();
  const prefix = 'content-disposition:';
  const line = text.split('\r\n').find((header) => header.toLowerCase().startsWith(prefix));
  if (line === undefined) throw malformed();
  const value = line.slice(prefix.length);
  const semicolon = value.indexOf(';');
  if (semicolon === -1 || value.slice(0, semicolon).trim().toLowerCase() !== 'form-data') throw malformed();
  const given = parameters(value.slice(semicolon));
  const name = given.get('name');
  if (name === undefined) throw malformed();
  const extended = /^utf-8'[^']*'(.*)$/i.exec(given.get('filename*') ?? '')?.[1];
  const fileName =
    (extended === undefined ? undefined : percentDecode(extended, 'literal')) ?? given.get('filename') ?? '';
  // Old browsers send the path on the user's disk.
  return { name, fileName: fileName.slice(Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\')) + 1) };
}

/** `; name=value; name="quoted value"`, by lower-case name. Browsers write a quote as `%22`, others as `\"`. */
function parameters(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    const equals = text.indexOf('=', at);
    if (text[at] !== ';' || equals === -1) break;
    const name = text
      .slice(at + 1, equals)
      .trim()
      .toLowerCase();
    let value = '';
    at = equals + 1;
    if (text[at] === '"') {
      for (at += 1; at < text.length && text[at] !== '"'; at += 1) {
        if (text[at] === '\\' && text[at + 1] === '"') at += 1;
        value += text[at];
      }
      at += 1;
      while (text[at] === ' ') at += 1;
    } else {
      const end = text.indexOf(';', at);
      value = text.slice(at, end === -1 ? text.length : end).trim();
      at = end === -1 ? text.length : end;
    }
    found.set(name, value);
  }
  return found;
}

function malformed(): S3Error {
  return new S3Error('MalformedPOSTRequest');
}

function tooLong(): S3Error {
  return new S3Error('MaxPostPreDataLengthExceededError');
}
