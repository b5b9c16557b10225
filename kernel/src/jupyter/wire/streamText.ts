/** A piece of text is sent when it is this long or this old, and before anything else is published. */
const pieceLength = 1 << 16;
const pieceAgeMs = 20;

/** Joins what is printed in quick succession, so that a loop that prints does not flood the clients. */
export class StreamText {
  private name: "stdout" | "stderr" = "stdout";
  private parent = "{}";
  private text = "";
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly publish: (parent: string, content: { name: string; text: string }) => void) {}

  /** What follows belongs to this stream of this request. */
  begin(name: "stdout" | "stderr", parent: string): void {
    this.flush();
    this.name = name;
    this.parent = parent;
  }

  add(text: string): void {
    this.text += text;
    if (this.text.length >= pieceLength) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), pieceAgeMs);
  }

  /** Text of another origin, in between. */
  insert(name: "stdout" | "stderr", parent: string, text: string): void {
    const before = { name: this.name, parent: this.parent };
    if (name !== before.name || parent !== before.parent) this.begin(name, parent);
    this.add(text);
    if (name !== before.name || parent !== before.parent) this.begin(before.name, before.parent);
  }

  flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const { name, text } = this;
    if (text === "") return;
    this.text = "";
    this.publish(this.parent, { name, text });
  }
}
