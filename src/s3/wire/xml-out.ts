const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A response document. Clients depend on the order of members, so the content comes ready-made and in order. */
export function xmlDocument(root: string, content: string): string {
  return `${DECLARATION}<${root} xmlns="${NAMESPACE}">${content}</${root}>`;
}

/** A document without the namespace, which is how S3 writes errors. */
export function bareXmlDocument(root: string, content: string): string {
  return `${DECLARATION}<${root}>${content}</${root}>`;
}

/** One element with text. */
export function element(name: string, text: string | number | boolean): string {
  return `<${name}>${typeof text === 'string' ? escapeXml(text) : text}</${name}>`;
}

/** The same, or nothing when there is no value. */
export function optional(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? '' : element(name, text);
}

const SPECIAL = /[&<>"\x00-\x1f\x7f\ufffe\uffff]/;
const SPECIALS = /[&<>"\x00-\x1f\x7f\ufffe\uffff]/g;

/**
 * Text as element content. Control characters become character references, as S3 writes them, although XML 1.0 has no
 * way to carry most of them: clients that want those ask for `encoding-type=url`.
 */
export function escapeXml(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, reference) : text;
}

function reference(character: string): string {
  switch (character) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    case '"':
      return '&quot;';
    default:
      return `&#x${character.charCodeAt(0).toString(16)};`;
  }
}

/** `encoding-type=url`: percent-encoded UTF-8 with `/` kept. A space is `%20`, which every decoder understands. */
export function urlEncode(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/');
}
