import { close, constants, fdatasync, open, read, write } from 'node:fs';

/**
 * A file by its descriptor. The callback functions of node:fs under promises of our own: per call they cost a fraction of
 * `FileHandle`'s, which is what large bodies are made of (docs/decisions/0004-file-calls.md).
 */
export class RawFile {
  readonly #fd: number;
  #closed: Promise<void> | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  static openToRead(path: string): Promise<RawFile> {
    return RawFile.#open(path, constants.O_RDONLY);
  }

  /** @throws system error `EEXIST` when the file is there */
  static createNew(path: string): Promise<RawFile> {
    return RawFile.#open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY);
  }

  static #open(path: string, flags: number): Promise<RawFile> {
    return new Promise((resolve, reject) => {
      open(path, flags, 0o600, (error, fd) => (error === null ? resolve(new RawFile(fd)) : reject(error)));
    });
  }

  /** @returns bytes read into `buffer` from `position` of the file; 0 at its end */
  read(buffer: Buffer, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#fd, buffer, 0, length, position, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
    });
  }

  /** Writes all of `length` bytes. */
  write(buffer: Buffer, length: number, position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let written = 0;
      const next = () => {
        write(this.#fd, buffer, written, length - written, position + written, (error, bytes) => {
          if (error !== null) {
            reject(error);
            return;
          }
          written += bytes;
          if (written === length) resolve();
          else next();
        });
      };
      next();
    });
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** For threads of this process; good until `close`. */
  get descriptor(): number {
    return this.#fd;
  }

  /** Again is harmless: a descriptor's number must never be closed twice, it may be another file's by then. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve, reject) => {
      close(this.#fd, (error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
    return this.#closed;
  }
}
