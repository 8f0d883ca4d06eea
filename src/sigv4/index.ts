export { parseAuthorization } from './authorization.ts';
export type { ChunkOptions } from './chunk-parser.ts';
export type { Trailers } from './chunk-signature.ts';
export { type ChunkDecoder, decodeChunks, parseTrailerNames } from './decode-chunks.ts';
export { type EncodeOptions, encodeChunks, encodedLength } from './encode-chunks.ts';
export { encodePart } from './encoding.ts';
export { type SigV4Code, SigV4Error, type SigV4Reason } from './errors.ts';
export { SigningKey } from './keys.ts';
export {
  type Authorization,
  EMPTY_SHA256,
  type Headers,
  MAX_EXPIRES,
  MAX_SKEW,
  type PayloadMode,
  type SignedAuthorization,
  type SignedRequest,
  type VerifiedSignature,
} from './model.ts';
export { parsePayloadMode, payloadHash } from './payload.ts';
export { type FormAuthorization, parseFormAuthorization, verifyForm } from './post-form.ts';
export { presign, type SignedHeaders, type Signer, signRequest } from './sign.ts';
export { type VerifyOptions, verifySignature } from './verify.ts';
