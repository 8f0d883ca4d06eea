import { BlockList, isIP } from 'node:net';
import { PolicyError } from './errors.ts';
import type { ValueTest } from './model.ts';
import { compilePattern, matches, type Pattern } from './pattern.ts';

/** What an operator makes of its values, and whether it is the negated one of its pair. */
export interface Operator {
  readonly negated: boolean;
  /** The tests of all values, any of which may match, and the variables in them. */
  compile(
    values: readonly string[],
    variables: boolean,
  ): { readonly test: ValueTest; readonly keys: readonly string[] };
}

type Compare = (order: number) => boolean;

const ORDERS: Readonly<Record<string, Compare>> = {
  Equals: (order) => order === 0,
  LessThan: (order) => order < 0,
  LessThanEquals: (order) => order <= 0,
  GreaterThan: (order) => order > 0,
  GreaterThanEquals: (order) => order >= 0,
};

const table = new Map<string, Operator>();

function define(name: string, negation: string | undefined, compile: Operator['compile']): void {
  table.set(name.toLowerCase(), { negated: false, compile });
  if (negation !== undefined) table.set(negation.toLowerCase(), { negated: true, compile });
}

/** Operator by name, without quantifier and `IfExists`; names compare without case. */
export function operatorNamed(name: string): Operator | undefined {
  return table.get(name.toLowerCase());
}

function text(wildcards: boolean, ignoreCase: boolean): Operator['compile'] {
  return (values, variables) => {
    const patterns = values.map((value) => compilePattern(value, { wildcards, variables }));
    return {
      test: (given, context) => patterns.some((pattern) => matches(pattern, given, context, ignoreCase)),
      keys: patterns.flatMap((pattern) => pattern.variables),
    };
  };
}

define('StringEquals', 'StringNotEquals', text(false, false));
define('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', text(false, true));
define('StringLike', 'StringNotLike', text(true, false));

/** In both ARN operators each of the six parts is compared by itself, with wildcards. */
const arn: Operator['compile'] = (values, variables) => {
  const patterns = values.map((value) => {
    if (value === '*') return 'any' as const;
    if (!value.startsWith('arn:') || value.split(':').length < 6) {
      throw new PolicyError('malformed', `${value} is not an ARN`, value);
    }
    return arnParts(value).map((part) => compilePattern(part, { wildcards: true, variables }));
  });
  return {
    test: (given, context) => {
      const parts = arnParts(given);
      return patterns.some(
        (pattern) =>
          pattern === 'any' ||
          (parts.length === 6 && pattern.every((part, at) => matches(part, parts[at] ?? '', context))),
      );
    },
    keys: patterns.flatMap((pattern) => (pattern === 'any' ? [] : pattern.flatMap(variablesOf))),
  };
};
define('ArnEquals', 'ArnNotEquals', arn);
define('ArnLike', 'ArnNotLike', arn);

function variablesOf(pattern: Pattern): readonly string[] {
  return pattern.variables;
}

/** The sixth part may hold colons of its own. */
function arnParts(text: string): string[] {
  const parts = text.split(':');
  return parts.length < 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

/** Numbers and dates: all values are read once, at parse time. */
function ordered(kind: string, read: (text: string) => number | undefined): void {
  for (const [order, compare] of Object.entries(ORDERS)) {
    define(`${kind}${order}`, order === 'Equals' ? `${kind}NotEquals` : undefined, (values) => {
      const limits = values.map((value) => {
        const limit = read(value);
        if (limit === undefined) throw new PolicyError('malformed', `${value} is no value for ${kind}${order}`, value);
        return limit;
      });
      return {
        test: (given) => {
          const value = read(given);
          return value !== undefined && limits.some((limit) => compare(value - limit));
        },
        keys: [],
      };
    });
  }
}

ordered('Numeric', (given) => (/^[+-]?\d{1,15}(?:\.\d{1,15})?$/.test(given.trim()) ? Number(given) : undefined));
ordered('Date', readDate);

/** ISO 8601 as W3C profiles it, or seconds since 1970 (IAM User Guide, "Date condition operators"). */
function readDate(given: string): number | undefined {
  if (/^\d{1,12}$/.test(given)) return Number(given) * 1000;
  const shape = /^\d{4}(?:-\d{2}(?:-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?)?)?$/;
  if (!shape.test(given)) return undefined;
  const time = Date.parse(given);
  return Number.isNaN(time) ? undefined : time;
}

define('Bool', undefined, (values) => {
  const wanted = values.map((value) => {
    const word = value.toLowerCase();
    if (word !== 'true' && word !== 'false') throw new PolicyError('malformed', `${value} is neither true nor false`);
    return word;
  });
  return { test: (given) => wanted.some((word) => word === given.toLowerCase()), keys: [] };
});

define('BinaryEquals', undefined, (values) => ({ test: (given) => values.includes(given), keys: [] }));

define('IpAddress', 'NotIpAddress', (values) => {
  const list = new BlockList();
  for (const value of values) {
    const [address = '', bits, ...rest] = value.split('/');
    const family = isIP(address);
    const width = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family === 0 || rest.length > 0 || prefix < 0 || prefix > width) {
      throw new PolicyError('malformed', `${value} is neither an IP address nor a range in CIDR notation`, value);
    }
    list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return {
    test: (given) => {
      const address = plainAddress(given);
      const family = isIP(address);
      return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
    },
    keys: [],
  };
});

/** A socket that takes both families names an IPv4 peer `::ffff:10.0.0.1`. */
function plainAddress(given: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(given);
  return mapped?.[1] ?? given;
}
