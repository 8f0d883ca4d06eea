/** Why an object of the source is not, or not surely, at the destination. */
export interface Problem {
  readonly key: string;
  /**
   * `changed`: while it was read, again and again. `vanished`: gone since the listing. `refused`: no object, or a key
   * that the destination cannot hold. `held-back`: its turn is last, and something beside it failed. `differs`: read
   * back, it was not the source's.
   */
  readonly kind: 'failed' | 'changed' | 'vanished' | 'refused' | 'held-back' | 'differs' | 'not-deleted';
  readonly reason: string;
  /** The error's code, where there was one. */
  readonly code: string | undefined;
  readonly advice: string | undefined;
}

export interface Amount {
  objects: number;
  bytes: number;
}

/** Everything that happened; what is in no other list was copied or skipped. */
export interface TransferReport {
  readonly source: string;
  readonly destination: string;
  readonly mode: 'transfer' | 'dry-run' | 'verify-only';
  /** Whether all of the source is at the destination, as far as was asked. */
  complete: boolean;
  /** Whether somebody asked to stop before the end. */
  stopped: boolean;
  milliseconds: number;
  readonly copied: Amount;
  /** Of the copied: the destination told a checksum, and it was ours; for the others, only the size. */
  storedChecked: number;
  /** Of the copied: the source's bytes had the MD5 that its ETag tells; other ETags cannot be compared. */
  readChecked: number;
  readonly skipped: Amount;
  /** Not begun, because it was stopped or went wrong too often; all that come after the others in the order of keys. */
  readonly notTried: Amount;
  /** With `--verify`: read back and found equal. */
  readonly verified: Amount;
  /** Copied in a newer version than the listing showed. */
  readonly newer: string[];
  /** Copied objects whose content type, headers or metadata the destination cannot keep. */
  headersDropped: number;
  tagsDropped: number;
  readonly problems: Problem[];
  /** Keys that only the destination has. */
  readonly extra: readonly string[];
  readonly deleted: Amount;
  /** Unfinished uploads and files of an interrupted run that were removed. */
  cleanedUp: number;
}

export function emptyReport(
  source: string,
  destination: string,
  mode: TransferReport['mode'],
  extra: readonly string[],
): TransferReport {
  const none = (): Amount => ({ objects: 0, bytes: 0 });
  return {
    source,
    destination,
    mode,
    complete: false,
    stopped: false,
    milliseconds: 0,
    copied: none(),
    storedChecked: 0,
    readChecked: 0,
    skipped: none(),
    notTried: none(),
    verified: none(),
    newer: [],
    headersDropped: 0,
    tagsDropped: 0,
    problems: [],
    extra,
    deleted: none(),
    cleanedUp: 0,
  };
}

export function add(amount: Amount, bytes: number): void {
  amount.objects += 1;
  amount.bytes += bytes;
}
