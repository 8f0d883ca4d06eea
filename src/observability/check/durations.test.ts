import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../core/durations.ts';
import { parseGoDuration, parsePrometheusDuration } from './durations.ts';

describe('durations of the programs', () => {
  it.each([
    ['336h', 336 * HOUR, 336 * HOUR],
    ['744h0m0s', 744 * HOUR, 744 * HOUR],
    ['1h30m', 90 * MINUTE, 90 * MINUTE],
    ['0', 0, 0],
    ['14d', undefined, 14 * DAY],
    ['1y', undefined, 365 * DAY],
    ['1.5h', 90 * MINUTE, undefined],
    ['30m1h', 90 * MINUTE, undefined],
    ['forever', undefined, undefined],
    ['', undefined, undefined],
    ['-1h', undefined, undefined],
    ['12', undefined, undefined],
  ])('%j', (text, go, prometheus) => {
    expect([parseGoDuration(text), parsePrometheusDuration(text)]).toEqual([go, prometheus]);
  });
});
