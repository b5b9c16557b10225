/** Which layers are chosen, by name, and which one the keyboard is at. Knows nothing of the rest. */
export class Selection {
  #chosen = new Set<string>();
  #active: string | null = null;
  #anchor: string | null = null;

  get active(): string | null {
    return this.#active;
  }

  has(name: string): boolean {
    return this.#chosen.has(name);
  }

  get size(): number {
    return this.#chosen.size;
  }

  /** This layer alone. */
  only(name: string): void {
    this.#chosen = new Set([name]);
    this.#active = this.#anchor = name;
  }

  /** Moves there without choosing. */
  moveTo(name: string): void {
    this.#active = this.#anchor = name;
  }

  toggle(name: string): void {
    if (!this.#chosen.delete(name)) this.#chosen.add(name);
    this.#active = this.#anchor = name;
  }

  /** All from where the last choice began up to this one, in the order that is shown. */
  extendTo(name: string, shown: readonly string[]): void {
    const from = this.#anchor === null ? -1 : shown.indexOf(this.#anchor);
    const to = shown.indexOf(name);
    if (from < 0 || to < 0) {
      this.only(name);
      return;
    }
    this.#chosen = new Set(shown.slice(Math.min(from, to), Math.max(from, to) + 1));
    this.#active = name;
  }

  all(shown: readonly string[]): void {
    this.#chosen = new Set(shown);
  }

  none(): void {
    this.#chosen.clear();
  }

  /** Forgets layers that are not there any more. */
  keepOnly(names: readonly string[]): void {
    const there = new Set(names);
    for (const name of this.#chosen) if (!there.has(name)) this.#chosen.delete(name);
    if (this.#active !== null && !there.has(this.#active)) this.#active = null;
    if (this.#anchor !== null && !there.has(this.#anchor)) this.#anchor = null;
  }

  /** The chosen layers in network order; else the active one. */
  targets(names: readonly string[]): string[] {
    if (this.#chosen.size > 0) return names.filter((name) => this.#chosen.has(name));
    return this.#active === null ? [] : [this.#active];
  }
}
