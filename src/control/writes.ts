import type { Context, Hono } from 'hono';
import { type Artifact, checkDigest, contentDisposition, owned, parseTicket } from '../artifacts/index.ts';
import type { Admission } from './admission.ts';
import { askedOf } from './asked.ts';
import { routes } from './openapi.ts';
import type { ApiOptions } from './options.ts';
import { bodyOf, mayRead, nameIn, requireReach } from './parsing.ts';
import { Refusal } from './refusal.ts';

/** Uploads and links: what leaves something in the bucket. Each is refused unless the API was told that it may write. */
export function addWrites(app: Hono, admission: Admission, { store, writes }: ApiOptions): void {
  const requireWrites = () => {
    if (writes) return;
    throw new Refusal('read-only', 'this API only reads', 'start it with --allow-writes and an S3 key that may write');
  };

  app.post(routes.grant.path, async (context) => {
    const bytes = await bytesOf(context);
    const caller = admission.caller(askedOf(context), bytes);
    requireWrites();
    const { expires, content, ...facts } = bodyOf(bytes, routes.grant.body);
    requireReach(caller.push ?? [], facts.name, 'upload');
    const grant = await store(caller.tenant).grantUpload({
      ...facts,
      creator: facts.creator ?? caller.id,
      content: { ...content, digest: checkDigest(content.digest) },
      expiresSeconds: expires,
    });
    context.header('Cache-Control', 'no-store');
    const { ticket, upload } = grant;
    return context.json({
      ticket: ticket.reveal(),
      expires: grant.expires,
      ...(upload === undefined ? {} : { upload }),
    });
  });

  app.post(routes.finish.path, async (context) => {
    admission.stranger(askedOf(context));
    requireWrites();
    const { ticket } = bodyOf(await bytesOf(context), routes.finish.body);
    const { artifact, created } = await store(parseTicket(ticket, 'upload').tenant).finishUpload(ticket);
    return context.json({ artifact, created });
  });

  app.post(routes.link.path, async (context) => {
    const bytes = await bytesOf(context);
    const caller = admission.caller(askedOf(context), bytes);
    requireWrites();
    const { reference, expires, once, address, fileName } = bodyOf(bytes, routes.link.body);
    mayRead(caller, nameIn(reference));
    const own = store(caller.tenant);
    const { artifact } = await own.resolve(reference);
    const link = await own.makeLink({ artifact, expiresSeconds: expires, once, address, fileName });
    context.header('Cache-Control', 'no-store');
    const { digest, size } = artifact.content;
    const path = routes.content.path.replace('{ticket}', link.ticket.reveal());
    return context.json({ path, expires: link.expires, content: { digest, size } });
  });

  app.get(routes.content.path.replace('{ticket}', ':ticket'), async (context) => {
    admission.stranger(askedOf(context));
    requireWrites();
    const ticket = context.req.param('ticket') ?? '';
    const own = store(parseTicket(ticket, 'link').tenant);
    const { artifact, fileName } = await own.openLink(ticket, admission.addressOf(askedOf(context)));
    return new Response(streamOf(own.source.read(artifact, context.req.raw.signal)), {
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(artifact.content.size),
        'content-disposition': contentDisposition(fileName),
        'repr-digest': reprDigest(artifact),
        'cache-control': 'private, no-store',
      },
    });
  });
}

const bytesOf = async (context: Context): Promise<Buffer> => Buffer.from(await context.req.arrayBuffer());

/** RFC 9530. */
const reprDigest = ({ content }: Artifact): string =>
  `sha-256=:${Buffer.from(content.digest.slice('sha256:'.length), 'hex').toString('base64')}:`;

/** Damaged content breaks the connection before its last bytes: what came is then shorter than it was announced. */
function streamOf(pieces: AsyncIterable<Buffer>): ReadableStream<Uint8Array> {
  const iterator = owned(pieces)[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.(undefined);
    },
  });
}
