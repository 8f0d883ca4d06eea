import { PolicyError } from './errors.ts';

/**
 * JSON whose objects name nothing twice: `JSON.parse` keeps the last of two equal names, so a second Condition operator
 * would silently replace the first.
 * @throws PolicyError
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PolicyError('malformed', 'Policies must be valid JSON and the first byte must be "{"');
  }
  refuseTwins(text);
  return value;
}

/** The text is known to be JSON, so strings and brackets are all that must be told apart. */
function refuseTwins(text: string): void {
  const open: Set<string>[] = [];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:|"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (token.endsWith(':')) {
      const name = JSON.stringify(JSON.parse(token.slice(0, -1)));
      const names = open.at(-1);
      if (names?.has(name)) throw new PolicyError('malformed', `The policy names ${name} twice in one element`);
      names?.add(name);
    }
  }
}
