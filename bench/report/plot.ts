/** Line charts as SVG, with nothing but lines and text: what docs/benchmarks.md shows beside its tables. */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** At most as many as there are colours; x and y above zero: both axes are logarithmic. */
  readonly series: readonly Series[];
}

const WIDTH = 760;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 190;
const TOP = 40;
const BOTTOM = 50;
/** Told apart with any kind of colour vision (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00'];

/** @throws {RangeError} when there is nothing to draw, or a value that has no logarithm */
export function lineChart({ title, xLabel, yLabel, series }: Chart): string {
  const points = series.flatMap((one) => one.points);
  if (points.length === 0 || points.some((point) => point.some((value) => !(value > 0)))) {
    throw new RangeError(`${title}: nothing to draw, or a value that is not above zero`);
  }
  const x = scale(
    points.map(([value]) => value),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scale(
    points.map(([, value]) => value),
    HEIGHT - BOTTOM,
    TOP,
  );
  const grid = [
    ...x.decades.map((value) => line(x.at(value), TOP, x.at(value), HEIGHT - BOTTOM)),
    ...y.decades.map((value) => line(LEFT, y.at(value), WIDTH - RIGHT, y.at(value))),
    ...x.decades.map((value) => text(x.at(value), HEIGHT - BOTTOM + 18, short(value), 'middle')),
    ...y.decades.map((value) => text(LEFT - 8, y.at(value) + 4, short(value), 'end')),
  ];
  const lines = series.map(({ points: own }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? '#000';
    const path = own.map(([a, b]) => `${x.at(a)},${y.at(b)}`).join(' ');
    const dots = own.map(([a, b]) => `<circle cx="${x.at(a)}" cy="${y.at(b)}" r="3" fill="${colour}"/>`).join('');
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}`;
  });
  const legend = series.map(({ name }, index) => {
    const at = TOP + 10 + index * 20;
    const colour = COLOURS[index % COLOURS.length] ?? '#000';
    return `<rect x="${WIDTH - RIGHT + 16}" y="${at - 9}" width="12" height="12" fill="${colour}"/>${text(WIDTH - RIGHT + 34, at + 2, name, 'start')}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 22, title, 'start', 15),
    ...grid,
    ...lines,
    ...legend,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, xLabel, 'middle'),
    `<g transform="rotate(-90 16 ${(TOP + HEIGHT - BOTTOM) / 2})">${text(16, (TOP + HEIGHT - BOTTOM) / 2, yLabel, 'middle')}</g>`,
    '</svg>',
    '',
  ].join('\n');
}

interface Scale {
  at(value: number): number;
  /** Powers of ten, and between few of them also twice and five times those, that lie on the axis. */
  readonly decades: readonly number[];
}

function scale(values: readonly number[], from: number, to: number): Scale {
  const least = Math.min(...values);
  const greatest = Math.max(...values);
  const wide = Math.log10(greatest / least) > 2;
  const steps = wide ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(greatest)); power += 1) {
    for (const step of steps) ticks.push(step * 10 ** power);
  }
  const below = Math.max(...ticks.filter((tick) => tick <= least));
  const above = Math.min(...ticks.filter((tick) => tick >= greatest && tick > below));
  const span = Math.log10(above) - Math.log10(below);
  return {
    at: (value) => Math.round((from + ((Math.log10(value) - Math.log10(below)) / span) * (to - from)) * 10) / 10,
    decades: ticks.filter((tick) => tick >= below && tick <= above),
  };
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ddd"/>`;
}

function text(x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end', size = 12): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" fill="#222">${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1000 ? `${value / 1000}k` : String(Number(value.toPrecision(3)));
}
