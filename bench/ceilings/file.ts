/**
 * The second ceiling: one node:http process that writes and fsyncs one file a request and answers from such files.
 * No signature, no hash, no rename, no directory fsync, no index. What files alone allow. Usage: `file.js PORT DIR`.
 */
import { close, createReadStream, fstat, fsync, open, read, stat, unlink, write } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';

/** Bodies up to this size are collected and written with one call; larger ones are streamed. */
const collectBytes = 64 * 1024;
const readBytes = 512 * 1024;
const directory = process.argv[3] ?? '.';
const uploadXml = '<InitiateMultipartUploadResult><UploadId>0</UploadId></InitiateMultipartUploadResult>';

/** One flat directory; the driver's keys and queries hold no character that a file name may not, save these. */
const pathOf = (url: string): string => join(directory, url.replaceAll('/', '!'));

function answer(res: ServerResponse, status: number): void {
  res.writeHead(status, { 'Content-Length': '0', ETag: '"0"' });
  res.end();
}

function finish(fd: number, res: ServerResponse): void {
  fsync(fd, (failed) => close(fd, () => answer(res, failed ? 500 : 200)));
}

function putCollected(req: IncomingMessage, res: ServerResponse, path: string): void {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const [first] = chunks;
    const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
    open(path, 'w', (failed, fd) => {
      if (failed) answer(res, 500);
      else write(fd, body, 0, body.length, 0, () => finish(fd, res));
    });
  });
}

function putStreamed(req: IncomingMessage, res: ServerResponse, path: string): void {
  open(path, 'w', (failed, fd) => {
    if (failed) {
      answer(res, 500);
      return;
    }
    let position = 0;
    let writing = 0;
    let ended = false;
    req.on('data', (chunk: Buffer) => {
      // Two writes in flight keep the disk and the socket both busy.
      writing += 1;
      if (writing > 1) req.pause();
      write(fd, chunk, 0, chunk.length, position, () => {
        writing -= 1;
        if (ended && writing === 0) finish(fd, res);
        else req.resume();
      });
      position += chunk.length;
    });
    req.on('end', () => {
      ended = true;
      if (writing === 0) finish(fd, res);
    });
    req.on('error', () => close(fd));
  });
}

function get(res: ServerResponse, path: string): void {
  open(path, 'r', (failed, fd) => {
    if (failed) {
      answer(res, 404);
      return;
    }
    fstat(fd, (_, stats) => {
      res.writeHead(200, { 'Content-Length': String(stats.size), ETag: '"0"' });
      if (stats.size > collectBytes) {
        createReadStream(path, { fd, highWaterMark: readBytes }).pipe(res);
        return;
      }
      const body = Buffer.allocUnsafe(stats.size);
      read(fd, body, 0, stats.size, 0, () => close(fd, () => res.end(body)));
    });
  });
}

/** A multipart object here is its parts, each a file named after the request that brought it. */
function removeParts(res: ServerResponse, path: string): void {
  for (let number = 1; number <= 8; number += 1) unlink(`${path}?partNumber=${number}&uploadId=0`, () => {});
  answer(res, 204);
}

const server = createServer((req, res) => {
  const path = pathOf(req.url ?? '/');
  if (req.method === 'PUT') {
    if (Number(req.headers['content-length'] ?? 0) <= collectBytes) putCollected(req, res, path);
    else putStreamed(req, res, path);
    return;
  }
  req.resume();
  if (req.method === 'GET') get(res, path);
  else if (req.method === 'HEAD') stat(path, (failed) => answer(res, failed ? 404 : 200));
  else if (req.method === 'DELETE') unlink(path, (failed) => (failed ? removeParts(res, path) : answer(res, 204)));
  else res.end(uploadXml);
});
server.keepAliveTimeout = 120_000;
server.listen(Number(process.argv[2]), '127.0.0.1');
