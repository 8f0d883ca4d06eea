const NON_ASCII = /[^\x00-\x7f]/;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A character that stands in no text: what follows are a header's bytes as they came, one a character. */
const RAW = '\ufdd0';

/** Node gives header bytes as Latin-1; clients send UTF-8. What is not UTF-8 is kept so that the same bytes come back. */
export function textOfHeader(value: string): string {
  if (!NON_ASCII.test(value)) return value;
  const text = decodeUtf8(Buffer.from(value, 'latin1'));
  return text === undefined || text.startsWith(RAW) ? RAW + value : text;
}

/** The reverse: text as a value that node:http writes byte for byte. */
export function headerOfText(value: string): string {
  if (!NON_ASCII.test(value)) return value;
  if (value.startsWith(RAW)) return value.slice(RAW.length);
  return Buffer.from(value, 'utf8').toString('latin1');
}

/** Undefined when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Percent-decodes one component to text; undefined for a broken escape or bytes that are not UTF-8. `plus` says whether
 * `+` means a space, which it does in a query and not in a path.
 */
export function percentDecode(raw: string, plus: 'space' | 'literal'): string | undefined {
  let text = raw;
  if (NON_ASCII.test(text)) {
    const decoded = decodeUtf8(Buffer.from(text, 'latin1'));
    if (decoded === undefined) return undefined;
    text = decoded;
  }
  if (plus === 'space' && text.includes('+')) text = text.replaceAll('+', ' ');
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Can this text stand in a header line? No control characters except tab. */
export function isHeaderText(value: string): boolean {
  return !/[\x00-\x08\x0a-\x1f\x7f]/.test(value);
}
