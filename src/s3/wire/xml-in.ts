import { SaxesParser } from 'saxes';
import { S3Error } from '../errors.ts';
import { decodeUtf8 } from './text.ts';

export interface XmlElement {
  readonly name: string;
  /** Character data directly inside, as written. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface OpenElement {
  name: string;
  text: string;
  children: OpenElement[];
}

/** Deeper than any S3 document. */
const MAX_DEPTH = 12;
/** DeleteObjects has 1,000 entries of a few elements, a completion 10,000 of up to eight. */
const MAX_ELEMENTS = 100_000;

/**
 * A request document as a tree. Well-formed UTF-8 without a document type, so there are no entities but XML's own five.
 * Prefixes are dropped: clients differ in how they write the namespace.
 * @throws S3Error `MalformedXML`
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw malformed();
  const parser = new SaxesParser({ xmlns: false, position: false });
  const stack: OpenElement[] = [];
  let root: OpenElement | undefined;
  let elements = 0;
  parser.on('error', (cause) => {
    throw malformed(cause);
  });
  parser.on('doctype', () => {
    throw malformed();
  });
  parser.on('processinginstruction', () => {
    throw malformed();
  });
  parser.on('opentag', ({ name }) => {
    elements += 1;
    if (elements > MAX_ELEMENTS || stack.length === MAX_DEPTH) throw malformed();
    const element: OpenElement = { name: name.slice(name.indexOf(':') + 1), text: '', children: [] };
    const parent = stack.at(-1);
    if (parent === undefined) root = element;
    else parent.children.push(element);
    stack.push(element);
  });
  const append = (data: string) => {
    const element = stack.at(-1);
    if (element !== undefined) element.text += data;
  };
  parser.on('text', append);
  parser.on('cdata', append);
  parser.on('closetag', () => {
    stack.pop();
  });
  parser.write(text.startsWith('\ufeff') ? text.slice(1) : text).close();
  if (root === undefined) throw malformed();
  return root;
}

/**
 * The children of an element by name, when each is known and none that must be single comes twice.
 * @throws S3Error `MalformedXML`
 */
export function fields<const N extends string>(
  element: XmlElement,
  names: readonly N[],
): Readonly<Partial<Record<N, XmlElement>>> {
  const found: Partial<Record<N, XmlElement>> = {};
  for (const child of element.children) {
    const name = names.find((known) => known === child.name);
    if (name === undefined || found[name] !== undefined) throw malformed();
    found[name] = child;
  }
  if (element.children.length > 0 && element.text.trim() !== '') throw malformed();
  return found;
}

/**
 * The text of an element that holds nothing else.
 * @throws S3Error `MalformedXML` also when it is missing
 */
export function textOf(element: XmlElement | undefined): string {
  if (element === undefined || element.children.length > 0) throw malformed();
  return element.text;
}

export function malformed(cause?: unknown): S3Error {
  return new S3Error('MalformedXML', undefined, { cause });
}
