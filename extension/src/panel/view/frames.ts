/** Gathers changes and draws them together: once a frame, and no more often than the rate allows. */
export class Frames<Change> {
  #changes = new Set<Change>();
  #frame = 0;
  #last = Number.NEGATIVE_INFINITY;
  /** Drawings a second, at most. */
  rate = 60;

  constructor(private readonly draw: (changes: ReadonlySet<Change>) => void) {}

  add(changes: Iterable<Change>): void {
    for (const change of changes) this.#changes.add(change);
    if (this.#changes.size > 0) this.#frame ||= requestAnimationFrame(this.#next);
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#changes.clear();
  }

  readonly #next = (now: number): void => {
    // A millisecond is left to the clock of frames, which is not even.
    if (now - this.#last < 1000 / this.rate - 1) {
      this.#frame = requestAnimationFrame(this.#next);
      return;
    }
    this.#last = now;
    this.#frame = 0;
    const changes = this.#changes;
    this.#changes = new Set();
    this.draw(changes);
  };
}
