/** Lets work happen soon after it is asked for, however often that is, and at most so many times a second. */
export class Pace {
  private timer: NodeJS.Timeout | null = null;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly perSecond: number,
    private readonly work: () => void,
  ) {}

  /** What is asked for meanwhile is done at once. Never within the call: whoever asks may be about to change more. */
  request(): void {
    if (this.timer) return;
    const wait = Math.max(0, this.last + 1000 / this.perSecond - performance.now());
    this.timer = setTimeout(() => {
      this.timer = null;
      this.last = performance.now();
      this.work();
    }, wait);
    // A process that has nothing else to do ends.
    this.timer.unref();
  }
}
