import { SaxesParser } from 'saxes';

/** An element of an answer. Namespaces are dropped: servers differ in how they write theirs. */
export interface XmlNode {
  readonly name: string;
  /** Character data directly inside. */
  readonly text: string;
  readonly children: readonly XmlNode[];
}

interface OpenNode {
  readonly name: string;
  text: string;
  readonly children: OpenNode[];
}

const MAX_DEPTH = 16;

/**
 * An answer as a tree; undefined where it is no XML document (HTML, JSON, two documents in a row, a document type with
 * entities), which callers treat as an answer that is not S3's.
 */
export function readXml(text: string): XmlNode | undefined {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const stack: OpenNode[] = [];
  let root: OpenNode | undefined;
  let broken = false;
  const refuse = () => {
    broken = true;
  };
  parser.on('error', refuse);
  parser.on('doctype', refuse);
  parser.on('opentag', ({ name }) => {
    const node: OpenNode = { name: name.slice(name.indexOf(':') + 1), text: '', children: [] };
    const parent = stack.at(-1);
    if (stack.length >= MAX_DEPTH || (parent === undefined && root !== undefined)) broken = true;
    if (broken) return;
    if (parent === undefined) root = node;
    else parent.children.push(node);
    stack.push(node);
  });
  const append = (data: string) => {
    const node = stack.at(-1);
    if (node !== undefined) node.text += data;
  };
  parser.on('text', append);
  parser.on('cdata', append);
  parser.on('closetag', () => void stack.pop());
  parser.write(text).close();
  return broken ? undefined : root;
}

export const childrenOf = (node: XmlNode, name: string): readonly XmlNode[] =>
  node.children.filter((child) => child.name === name);

export const childOf = (node: XmlNode | undefined, name: string): XmlNode | undefined =>
  node?.children.find((child) => child.name === name);

/** The text of a child, trimmed of what pretty-printing adds; undefined where there is no such child. */
export const textOf = (node: XmlNode | undefined, name: string): string | undefined => childOf(node, name)?.text.trim();

/** A whole number in a child; undefined where there is none. */
export function numberOf(node: XmlNode | undefined, name: string): number | undefined {
  const text = textOf(node, name);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** One element with text; nothing for undefined. */
export function tag(name: string, text: string | number | boolean | undefined): string {
  if (text === undefined) return '';
  return `<${name}>${String(text).replace(/[&<>"]/g, (character) => escapes[character] ?? character)}</${name}>`;
}

/** An element around ready-made content; nothing around nothing. */
export const wrap = (name: string, content: string): string => (content === '' ? '' : `<${name}>${content}</${name}>`);

export function xmlRequest(root: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`;
}
