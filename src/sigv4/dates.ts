const AMZ_DATE = /^\d{8}T\d{6}Z$/;

/** `YYYYMMDDTHHMMSSZ` to milliseconds since 1970 UTC, or undefined for anything else, 30 February included. */
export function parseAmzDate(text: string): number | undefined {
  // Requests of one second carry one date.
  if (text !== last.text) last = { text, milliseconds: AMZ_DATE.test(text) ? millisecondsOf(text) : undefined };
  return last.milliseconds;
}

let last: { readonly text: string; readonly milliseconds: number | undefined } = { text: '', milliseconds: undefined };

function millisecondsOf(text: string): number | undefined {
  const number = (from: number, to: number) => Number(text.slice(from, to));
  const [month, day, hour, minute, second] = [
    number(4, 6) - 1,
    number(6, 8),
    number(9, 11),
    number(11, 13),
    number(13, 15),
  ];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const milliseconds = Date.UTC(number(0, 4), month, day, hour, minute, second);
  // Date.UTC carries a 31 June over into July; two-digit years it takes for 19xx.
  const date = new Date(milliseconds);
  const isReal = date.getUTCDate() === day && date.getUTCMonth() === month && date.getUTCFullYear() === number(0, 4);
  return isReal ? milliseconds : undefined;
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
