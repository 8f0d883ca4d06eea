const DAY = 86_400_000;
let day = -1;
let dayText = '';

/**
 * `2026-11-23T14:05:09.000Z`: whole seconds, as S3 writes them, so that a listing agrees with Last-Modified. A listing
 * formats a thousand of these, so the day is remembered.
 */
export function isoDate(milliseconds: number): string {
  const today = Math.floor(milliseconds / DAY);
  if (today !== day) {
    dayText = new Date(today * DAY).toISOString().slice(0, 11);
    day = today;
  }
  const seconds = Math.floor((milliseconds - today * DAY) / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${dayText}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}.000Z`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

let second = -1;
let secondText = '';

/** `Mon, 23 Nov 2026 14:05:09 GMT` (RFC 9110 section 5.6.7), whole seconds. */
export function httpDate(milliseconds: number): string {
  const now = Math.floor(milliseconds / 1000);
  if (now !== second) {
    secondText = new Date(now * 1000).toUTCString();
    second = now;
  }
  return secondText;
}

const HTTP_DATE =
  /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? (?:\d{2}[ -][a-z]{3}[ -]\d{2,4} \d{2}:\d{2}:\d{2} gmt|[a-z]{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/i;

/** Milliseconds of an HTTP date in any of its three formats; undefined for anything else, which S3 ignores. */
export function parseHttpDate(text: string): number | undefined {
  const trimmed = text.trim();
  if (!HTTP_DATE.test(trimmed)) return undefined;
  const time = Date.parse(/gmt$/i.test(trimmed) ? trimmed : `${trimmed} GMT`);
  return Number.isNaN(time) ? undefined : time;
}
