import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the console's port answers until there is a console: where things are. Holds no key. */
export function consoleHandler(s3Port: number): (req: IncomingMessage, res: ServerResponse) => void {
  const text = `This is Bucketwright in MinIO's place. It has no console here yet.

S3 API: port ${s3Port} of this host, path style.
Health: GET /minio/health/live and /minio/health/ready on that port.
Keys:   MINIO_ROOT_USER and MINIO_ROOT_PASSWORD of the service, or s3.env in its data directory.
`;
  return (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    const found = /^\/(?:\?.*)?$/.test(req.url ?? '');
    res.writeHead(found ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
    res.end(req.method === 'HEAD' ? undefined : text);
  };
}
