import type { Kernel } from "@jupyterlab/services";
import { CONVERSION_COMM } from "../../../../kernel/src/report/conversionMessages";
import { parseKernelMessage } from "../../../../kernel/src/report/readKernelMessage";
import type { PanelModel } from "../model/panelModel";

/** How long a kernel that does nothing may leave a question open until it is asked anew; twice as long each time. */
const patience = 4000; // ms

/**
 * Ties a model to one kernel: opens the comm, again after a restart or a lost connection, and tells the model where things
 * stand. What the kernel says is read before the model gets it.
 */
export class KernelLink {
  #comm: Kernel.IComm | null = null;
  #isDisposed = false;
  /** Whether this kernel is not asked again: it will say when it has a conversion. A restarted one is asked. */
  #isQuiet = false;
  #patience = patience;

  constructor(
    readonly kernel: Kernel.IKernelConnection,
    private readonly model: PanelModel,
  ) {
    kernel.statusChanged.connect(this.#onStatus, this);
    kernel.connectionStatusChanged.connect(this.#onConnection, this);
    this.#follow();
  }

  /** Asks a kernel anew that had no conversions: it has just made one. */
  ask(): void {
    this.#isQuiet = false;
    this.#follow();
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.kernel.statusChanged.disconnect(this.#onStatus, this);
    this.kernel.connectionStatusChanged.disconnect(this.#onConnection, this);
    if (!this.kernel.isDisposed) this.#close();
  }

  #follow(): void {
    const { status, connectionStatus } = this.kernel;
    if (status === "dead" || status === "terminating") this.#lose("dead");
    else if (status === "restarting" || status === "autorestarting") this.#lose("restarting");
    else if (connectionStatus !== "connected") this.#lose("unreachable");
    // Also while nothing is known of the kernel, as after some restarts: it answers when it is ready.
    else if (!this.#comm && !this.#isQuiet) void this.#open();
  }

  /** A kernel of another language is not asked: it would complain of a target that it does not know. */
  async #open(): Promise<void> {
    const { language_info } = await this.kernel.info;
    if (this.#isDisposed || this.#comm || this.#isQuiet) return;
    if (language_info.name !== "typescript") return this.#refuse("foreign");
    const comm = this.kernel.createComm(CONVERSION_COMM);
    this.#adopt(comm);
    comm.open();
    this.#connect();
    this.#insist(comm);
  }

  /**
   * A kernel that has just come back may never get what was sent on the way; one that does nothing answers at once. One that is busy is waited
   * for.
   */
  #insist(comm: Kernel.IComm): void {
    setTimeout(() => {
      if (this.#isDisposed || this.#comm !== comm || this.model.link !== "asking") return;
      if (this.kernel.status !== "idle" && this.kernel.status !== "unknown") return this.#insist(comm);
      this.#patience *= 2; // a machine that is slow answers in time then
      this.#comm = null;
      if (!comm.isDisposed) comm.dispose(); // an answer that comes after all is not heard
      this.#follow();
    }, this.#patience);
  }

  #connect(): void {
    this.model.connect((message) => void this.#comm?.send({ ...message }));
  }

  #onStatus(): void {
    this.#follow();
  }

  #onConnection(): void {
    this.#follow();
  }

  #adopt(comm: Kernel.IComm): void {
    this.#comm = comm;
    comm.onMsg = ({ content }) => {
      if (this.#comm === comm) this.#read(content.data);
    };
    // A kernel that does not know the target closes the comm at once.
    comm.onClose = () => {
      if (this.#comm !== comm) return;
      this.#comm = null;
      this.#refuse("quiet");
    };
  }

  #refuse(link: "foreign" | "quiet"): void {
    this.#isQuiet = true;
    this.model.disconnect(link);
  }

  #read(data: unknown): void {
    const message = parseKernelMessage(data);
    this.#patience = patience;
    if (typeof message === "string") this.model.say({ kind: "fault", text: message });
    else this.model.receive(message);
  }

  #lose(link: "dead" | "restarting" | "unreachable"): void {
    this.#isQuiet = false;
    this.#patience = patience;
    const comm = this.#comm;
    this.#comm = null; // gone with the kernel; after a lost connection another one is opened
    if (comm && !comm.isDisposed) comm.dispose();
    if (this.model.link !== link) this.model.disconnect(link);
  }

  #close(): void {
    const comm = this.#comm;
    this.#comm = null;
    if (comm && !comm.isDisposed) comm.close();
  }
}
