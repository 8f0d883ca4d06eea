import type { Finding } from '../../core/finding.ts';

/** What a check says when it does not hold. */
export interface Complaint {
  readonly found: string;
  readonly why: string;
  readonly advice: string;
  readonly expected?: string;
  /** Default: fail. */
  readonly status?: 'warn' | 'fail' | 'skip';
}

/** Collects the findings of one file: `ok` with a line, or a complaint with what follows and what to do. */
export class Checklist {
  readonly findings: Finding[] = [];
  readonly #prefix: string;
  readonly #subject: string;

  constructor(prefix: string, subject: string) {
    this.#prefix = prefix;
    this.#subject = subject;
  }

  /** @param complaint undefined: the check holds, and `fine` says how */
  check(id: string, fine: string, complaint: Complaint | undefined): void {
    const base = { id: `${this.#prefix}-${id}`, subject: this.#subject };
    if (complaint === undefined) this.findings.push({ ...base, status: 'ok', found: fine });
    else this.findings.push({ ...base, ...complaint, status: complaint.status ?? 'fail' });
  }
}
