import { SigV4Error } from './errors.ts';
import { EMPTY_SHA256, type PayloadMode, UNSIGNED_PAYLOAD } from './model.ts';

const HEX_SHA256 = /^[0-9a-f]{64}$/i;

/**
 * Reads `x-amz-content-sha256`.
 * @throws SigV4Error InvalidArgument for what it may not be, NotImplemented for the streaming modes of SigV4A.
 */
export function parsePayloadMode(value: string): PayloadMode {
  switch (value) {
    case UNSIGNED_PAYLOAD:
      return { kind: 'unsigned' };
    case EMPTY_SHA256:
      return { kind: 'empty' };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { kind: 'streaming', signed: true, trailer: false };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'streaming', signed: true, trailer: true };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'streaming', signed: false, trailer: true };
  }
  if (HEX_SHA256.test(value)) {
    const hex = value.toLowerCase();
    return hex === EMPTY_SHA256 ? { kind: 'empty' } : { kind: 'sha256', hex };
  }
  if (value.startsWith('STREAMING-')) {
    throw new SigV4Error('NotImplemented', 'content-sha256-unsupported', 'This streaming payload is not implemented.', {
      subject: value,
      advice: 'sign with AWS4-HMAC-SHA256',
    });
  }
  throw new SigV4Error(
    'InvalidArgument',
    'content-sha256-invalid',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid sha256 value.',
    { subject: value, elements: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value } },
  );
}

/** The value of `x-amz-content-sha256` that announces a mode. */
export function payloadHash(mode: PayloadMode): string {
  switch (mode.kind) {
    case 'unsigned':
      return UNSIGNED_PAYLOAD;
    case 'empty':
      return EMPTY_SHA256;
    case 'sha256':
      return mode.hex;
    case 'streaming':
      if (!mode.signed) return 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
      return `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${mode.trailer ? '-TRAILER' : ''}`;
  }
}
