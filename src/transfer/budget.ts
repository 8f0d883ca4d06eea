/** A bounded number of bytes that several tasks share; who asks first gets first. */
export class Budget {
  readonly #total: number;
  #free: number;
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  constructor(bytes: number) {
    this.#total = bytes;
    this.#free = bytes;
  }

  /** Waits for that many bytes. One that is larger than the whole budget waits until it is alone. */
  async take(bytes: number): Promise<() => void> {
    const share = Math.min(bytes, this.#total);
    if (this.#waiting.length > 0 || share > this.#free) {
      await new Promise<void>((go) => this.#waiting.push({ bytes: share, go }));
    } else {
      this.#free -= share;
    }
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#free += share;
      this.#serve();
    };
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.bytes;
      next.go();
    }
  }
}
