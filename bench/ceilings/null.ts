/**
 * The first ceiling: one node:http process that reads a request and answers 200 without storing, checking or looking up
 * anything. What a one-process server could reach if the work were free. Usage: `null.js PORT`.
 */
import { createServer } from 'node:http';

/** A multipart upload needs an id and ETags to go on; nothing behind them is kept. */
const uploadXml = '<InitiateMultipartUploadResult><UploadId>0</UploadId></InitiateMultipartUploadResult>';
const headers = { 'Content-Length': '0', ETag: '"0"' };

const server = createServer((req, res) => {
  req.on('end', () => {
    if (req.method === 'POST') res.end(uploadXml);
    else {
      res.writeHead(200, headers);
      res.end();
    }
  });
  req.resume();
});
// Keep-alive connections outlive the pauses between cells.
server.keepAliveTimeout = 120_000;
server.listen(Number(process.argv[2]), '127.0.0.1');
