import { BucketwrightError, type ErrorDetails } from '../core/errors.ts';

export type ArtifactErrorCode =
  /** A name, version, channel, digest or label that is not written as one. */
  | 'invalid'
  | 'no-such-version'
  | 'no-such-channel'
  /** The version is there already, with other content or facts. */
  | 'version-exists'
  /** Somebody else moved the channel, or it is not where the caller expected it. */
  | 'channel-moved'
  /** The provider does not refuse a second create, so versions and channels would not be safe. */
  | 'no-conditional-writes'
  | 'content-missing'
  /** What was read is not what its digest says. */
  | 'content-damaged'
  /** What is being pushed changed while it was read. */
  | 'content-changed'
  /** An archive with paths, links or sizes that are not unpacked. */
  | 'unsafe-archive'
  /** A directory that cannot be packed: links, devices, names. */
  | 'unpackable'
  /** The place for a pull is taken by something that is not ours to replace. */
  | 'target'
  /** An object at one of our keys that is not written as ours are. */
  | 'document'
  /** A signed URL would permit other bytes than it names. */
  | 'no-signed-uploads'
  /** A ticket or link that is unknown, used, too old, or not for this address. */
  | 'ticket'
  | 'checks-failed'
  /** Being removed by gc. */
  | 'condemned'
  | 'signature'
  | 'command-failed';

/** What the artifact store refuses, told apart by `code`. */
export class ArtifactError extends BucketwrightError {
  readonly code: ArtifactErrorCode;

  constructor(code: ArtifactErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}
