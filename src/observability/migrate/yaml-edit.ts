import { type Document, isCollection, isMap, parseDocument, Scalar } from 'yaml';
import type { LokiStore } from '../loki/render.ts';

/** Somebody's YAML with changes made in place: comments, order and quoting stay as they are. */
export class YamlEdit {
  readonly #document: Document.Parsed;
  readonly #crlf: boolean;
  readonly #mark: string;
  readonly #style: { readonly indent: number; readonly indentSeq: boolean };

  constructor(text: string) {
    this.#document = parseDocument(text, { logLevel: 'error' });
    this.#crlf = text.includes('\r\n');
    this.#mark = text.startsWith('\ufeff') ? '\ufeff' : '';
    const list = /^( *)configs:[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)- /m.exec(text);
    this.#style = {
      indent: /^( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2,
      indentSeq: list === null || (list[2]?.length ?? 0) > (list[1]?.length ?? 0),
    };
  }

  /** Appends a schema period of Loki, 24 hours each index, with today's schema. */
  appendPeriod(from: string, store: LokiStore): void {
    const day = new Scalar(from);
    day.type = Scalar.QUOTE_DOUBLE;
    const index = { prefix: 'index_', period: '24h' };
    const period = this.#document.createNode({ from: day, store: 'tsdb', object_store: store, schema: 'v13', index });
    this.#document.addIn(['schema_config', 'configs'], period);
  }

  removeLastPeriod(count: number): void {
    this.#document.deleteIn(['schema_config', 'configs', count - 1]);
  }

  set(path: readonly string[], value: unknown): void {
    // A key without a value (`storage_config:`) holds null, below which nothing can be set.
    for (let depth = 1; depth < path.length; depth++) {
      const above = path.slice(0, depth);
      const node: unknown = this.#document.getIn(above, true);
      if (!isCollection(node)) this.#document.setIn(above, this.#document.createNode({}));
    }
    const present: unknown = this.#document.getIn([...path]);
    if (present === value) return;
    this.#document.setIn([...path], isObject(value) ? this.#document.createNode(value) : value);
  }

  /** Removes a block, if it holds exactly this: what we added we may take away. */
  removeIf(path: readonly string[], value: Readonly<Record<string, unknown>>): void {
    const node: unknown = this.#document.getIn([...path], true);
    if (isMap(node) && JSON.stringify(node.toJSON()) === JSON.stringify(value)) this.#document.deleteIn([...path]);
  }

  toString(): string {
    const text = this.#document.toString({ lineWidth: 0, ...this.#style }).replace(/^\ufeff/, '');
    return this.#mark + (this.#crlf ? text.replace(/\r?\n/g, '\r\n') : text);
  }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
