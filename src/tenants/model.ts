/** A whole bucket (an empty prefix), or a prefix that ends in a slash. */
export interface Place {
  readonly bucket: string;
  readonly prefix: string;
}

/** Who has what to itself, as the manifest says it. */
export interface Tenant {
  readonly name: string;
  readonly places: readonly Place[];
  readonly principals: readonly string[];
  readonly quotaBytes: number | undefined;
  readonly suspended: boolean;
}

export const showPlace = ({ bucket, prefix }: Place): string => (prefix === '' ? bucket : `${bucket}/${prefix}`);
