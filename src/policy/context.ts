/**
 * A condition key's values in this request; undefined: the request has none. Names are in lower case, but for what
 * stands behind the slash of a tag key.
 */
export type RequestContext = (key: string) => readonly string[] | undefined;
