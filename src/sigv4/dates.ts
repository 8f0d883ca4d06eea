const AMZ_DATE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** `YYYYMMDDTHHMMSSZ` to milliseconds since 1970 UTC, or undefined for anything else, 30 February included. */
export function parseAmzDate(text: string): number | undefined {
  const match = AMZ_DATE.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(milliseconds) || formatAmzDate(milliseconds) !== text ? undefined : milliseconds;
}

/** Milliseconds since 1970 UTC to `YYYYMMDDTHHMMSSZ`. */
export function formatAmzDate(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

// RFC 9110, 5.6.7: IMF-fixdate and the two obsolete forms; Date.parse alone would take far more.
const HTTP_DATE =
  /^(?:[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:GMT|UTC|[+-]0000)|[A-Z][a-z]+day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT)$/;

/** The `Date` header, as an HTTP date or as `YYYYMMDDTHHMMSSZ`. */
export function parseDateHeader(text: string): number | undefined {
  const amz = parseAmzDate(text);
  if (amz !== undefined || !HTTP_DATE.test(text)) return amz;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
