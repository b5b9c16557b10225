import type { Comm } from "../host/comm";
import type { KernelMessage, PanelMessage } from "../report/conversionMessages";
import { parsePanelMessage } from "../report/readPanelMessage";
import { type SectionName, sectionNames } from "./sections";

/** One panel's end of the line, as long as it is open. */
export class PanelComm {
  /** Id of the conversion that it looks at. */
  watched: string | null = null;
  /** Sections that it has not got as they are. */
  readonly stale = new Set<SectionName>();
  isOpen = true;
  private sequence = 0;
  /** The list of conversions as it was sent. */
  private listed = "";

  /**
   * @param take called with each message that can be read
   * @param onClose called when the panel is gone
   */
  constructor(
    private readonly comm: Comm,
    take: (message: PanelMessage) => void,
    onClose: () => void,
  ) {
    comm.onMessage = ({ data }) => {
      const read = parsePanelMessage(data);
      if ("message" in read) take(read.message);
      else if (read.request === null) this.send({ type: "refused", error: read.error });
      else this.send({ type: "failed", request: read.request, error: read.error });
    };
    comm.onClose = () => {
      this.isOpen = false;
      onClose();
    };
  }

  send(message: KernelMessage): void {
    if (this.isOpen) this.comm.send(message);
  }

  /** Sends the list of conversions where it is another than before. */
  list(message: Extract<KernelMessage, { type: "conversions" }>): void {
    const text = JSON.stringify(message);
    if (text === this.listed) return;
    this.listed = text;
    this.send(message);
  }

  /** Looks at a conversion from now on, of which it knows nothing. */
  watch(conversion: string | null): void {
    this.watched = conversion;
    this.stale.clear();
    for (const name of conversion === null ? [] : sectionNames) this.stale.add(name);
  }

  /** @param sections of the conversion that it looks at; those that were stale */
  snapshot(conversion: string, sections: Extract<KernelMessage, { type: "snapshot" }>["sections"]): void {
    const whole = this.stale.size === sectionNames.length;
    this.stale.clear();
    this.send({ type: "snapshot", conversion, sequence: this.sequence++, whole, sections });
  }
}
