import { formatDuration } from '../core/durations.ts';
import { formatBytes } from '../core/sizes.ts';

export interface Progress {
  /** Replaces the total; the count starts again. */
  begin(what: string, totalBytes: number): void;
  add(bytes: number): void;
  /** A line for people that must not be lost under the bar. */
  line(text: string): void;
  end(): void;
}

const WIDTH = 24;

/** A bar with rate and time left on a terminal, redrawn five times a second; elsewhere a plain line every 10 seconds. */
export function progressOn(stream: NodeJS.WriteStream): Progress {
  const terminal = stream.isTTY === true;
  let what = '';
  let total = 0;
  let done = 0;
  let began = Date.now();
  let timer: NodeJS.Timeout | undefined;
  const clear = () => {
    if (terminal) stream.write('\r\u001b[2K');
  };
  const draw = () => {
    const seconds = Math.max(0.001, (Date.now() - began) / 1000);
    const rate = Math.max(0, done / seconds);
    const share = total === 0 ? 1 : Math.min(1, Math.max(0, done / total));
    const left = rate > 0 && seconds > 2 ? `, ${formatDuration(Math.ceil((total - done) / rate) * 1000)} left` : '';
    const facts = `${formatBytes(done)} of ${formatBytes(total)}, ${formatBytes(rate)}/s${left}`;
    if (!terminal) return void stream.write(`${what}: ${facts}\n`);
    const filled = Math.round(share * WIDTH);
    const bar = `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}]`;
    clear();
    // Terminals that do not know their width say 0.
    const columns = stream.columns > 0 ? stream.columns : 80;
    stream.write(`${what} ${bar} ${Math.floor(share * 100)}% ${facts}`.slice(0, Math.max(20, columns - 1)));
  };
  const end = () => {
    clearInterval(timer);
    if (timer !== undefined) clear();
    timer = undefined;
  };
  return {
    begin(name, totalBytes) {
      end();
      [what, total, done, began] = [name, totalBytes, 0, Date.now()];
      timer = setInterval(draw, terminal ? 200 : 10_000);
      timer.unref();
    },
    add(bytes) {
      done += bytes;
    },
    line(text) {
      clear();
      stream.write(`${text}\n`);
    },
    end,
  };
}
