import { ArtifactError } from './errors.ts';
import { type Artifact, mediaTypes } from './model.ts';
import type { Place } from './place.ts';

export interface UrlRequest {
  readonly artifact: Artifact;
  /** Reads it, or tells only whether it is there and how large it is. Default: `GET`. */
  readonly method?: 'GET' | 'HEAD' | undefined;
  /** 1 to 604,800. */
  readonly expiresSeconds: number;
  /** The name under which a browser saves it; default: the title, with `.tar` for a directory. */
  readonly fileName?: string | undefined;
}

/** Plain letters for old readers, UTF-8 for the others (RFC 6266, RFC 8187). */
export function contentDisposition(fileName: string): string {
  const plain = fileName.replaceAll(/[^A-Za-z0-9._-]/g, '_');
  const encoded = encodeURIComponent(fileName).replaceAll(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  return plain === fileName
    ? `attachment; filename="${plain}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/**
 * A URL from which anybody who has it can read this content until it expires, and nothing else. Its reader checks the
 * digest itself. A URL can be used more than once and from anywhere: S3 knows no other kind; `makeLink` does.
 * @throws ArtifactError `invalid`
 */
export function downloadUrl(place: Place, request: UrlRequest): string {
  const { artifact, method = 'GET', expiresSeconds, fileName } = request;
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > 604_800) {
    throw new ArtifactError('invalid', 'a signed URL is valid for 1 second to 7 days', {
      advice: 'ask for a shorter time, and for a new URL later',
    });
  }
  const { content } = artifact;
  return place.client.presign({
    method,
    bucket: place.bucket,
    key: place.layout.blob(content.digest),
    expiresSeconds,
    disposition: contentDisposition(fileName ?? fileNameOf(content)),
  });
}

/** The name under which content is saved where nobody gave one. */
export const fileNameOf = ({ mediaType, title }: Artifact['content']): string =>
  mediaType === mediaTypes.tar ? `${title}.tar` : title;
