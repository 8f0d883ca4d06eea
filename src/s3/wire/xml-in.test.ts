import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S3Error } from '../errors.ts';
import { fields, parseXml, textOf } from './xml-in.ts';
import { element, escapeXml } from './xml-out.ts';

const parse = (text: string) => parseXml(Buffer.from(text));
const code = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return error instanceof S3Error ? error.code : error;
  }
  return 'accepted';
};

describe('parseXml', () => {
  it('reads elements, text, character references and CDATA, and drops prefixes', () => {
    const root = parse('<?xml version="1.0"?><s:A xmlns:s="x"><B> a&amp;b&#x9; </B><C><![CDATA[<d>]]></C></s:A>');
    expect(root.name).toBe('A');
    const { B, C } = fields(root, ['B', 'C']);
    expect(textOf(B)).toBe(' a&b\t ');
    expect(textOf(C)).toBe('<d>');
  });

  it.each([
    ['nothing', ''],
    ['text only', 'hello'],
    ['an open element', '<A><B></A>'],
    ['an unclosed root', '<A>'],
    ['two roots', '<A/><B/>'],
    ['a document type', '<!DOCTYPE a [<!ENTITY x "y">]><A>&x;</A>'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><A>&x;</A>'],
    ['an unknown entity', '<A>&nbsp;</A>'],
    ['a processing instruction', '<?php echo 1 ?><A/>'],
    ['a NUL', '<A>\0</A>'],
    ['a deep nest', `${'<A>'.repeat(50)}${'</A>'.repeat(50)}`],
    ['too many elements', `<A>${'<B/>'.repeat(100_001)}</A>`],
  ])('refuses %s', (_, text) => {
    expect(code(() => parse(text))).toBe('MalformedXML');
  });

  it('refuses what is not UTF-8', () => {
    expect(code(() => parseXml(Buffer.from([0x3c, 0x41, 0x3e, 0xff, 0x3c, 0x2f, 0x41, 0x3e])))).toBe('MalformedXML');
  });

  it('answers a tree or MalformedXML for anything', () => {
    const soup = fc
      .array(fc.constantFrom('<', '>', '/', 'A', '&', ';', '!', '[', ']', '"', '=', '?', ' ', '\0', 'é', '--'), {
        maxLength: 40,
      })
      .map((parts) => parts.join(''));
    fc.assert(fc.property(soup, (text) => ['accepted', 'MalformedXML'].includes(String(code(() => parse(text))))));
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) =>
        ['accepted', 'MalformedXML'].includes(String(code(() => parseXml(bytes)))),
      ),
    );
  });

  it('reads back any text XML can carry', () => {
    // XML 1.0 has no way to write most control characters, and U+FFFE and U+FFFF.
    const text = fc
      .string({ unit: 'grapheme' })
      .filter((value) => !/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(value));
    fc.assert(fc.property(text, (value) => parse(element('A', value)).text === value));
  });
});

it('fields refuses unknown and repeated children', () => {
  expect(code(() => fields(parse('<A><B/><B/></A>'), ['B']))).toBe('MalformedXML');
  expect(code(() => fields(parse('<A><X/></A>'), ['B']))).toBe('MalformedXML');
  expect(code(() => fields(parse('<A>text<B/></A>'), ['B']))).toBe('MalformedXML');
  expect(code(() => textOf(undefined))).toBe('MalformedXML');
});

it('escapes control characters as references', () => {
  expect(escapeXml('a\x01<&>"\r')).toBe('a&#x1;&lt;&amp;&gt;&quot;&#xd;');
});
