import { randomUUID } from "node:crypto";
import type { Conversion } from "../conversion/conversion";
import { LutnnError } from "../errors";
import type { Comm } from "../host/comm";
import { currentHost, type NotebookHost } from "../host/host";
import { askingOnce, nameOf } from "../host/nameOf";
import { withoutDrawing } from "../host/progressListener";
import {
  CONVERSION_COMM,
  type KernelMessage,
  type PanelMessage,
  SNAPSHOTS_PER_SECOND,
} from "../report/conversionMessages";
import { runCommand } from "./commands";
import { Pace } from "./pace";
import { PanelComm } from "./panelComm";
import { answer } from "./questions";
import { makeSections, type SectionName } from "./sections";
import { Watch } from "./watch";

/**
 * The conversions of a notebook, weakly held, and the panels that look at them, each over a comm of its own. Changes go out
 * together, at most {@link SNAPSHOTS_PER_SECOND} times a second.
 */
export class Panels {
  private readonly conversions = new Map<string, WeakRef<Conversion>>();
  private readonly watches = new WeakMap<Conversion, Watch>();
  private readonly comms = new Set<PanelComm>();
  private readonly pace = new Pace(SNAPSHOTS_PER_SECOND, () => this.flush());
  private readonly gone = new FinalizationRegistry<string>((id) => {
    this.conversions.delete(id);
    this.pace.request();
  });
  private host: NotebookHost | null = null;
  /** Id of the conversion that panels were asked last to show. */
  private asked: string | null = null;

  /** A conversion is there; outside a notebook nobody looks at it. */
  add(conversion: Conversion): void {
    const host = currentHost();
    if (!host || this.watches.has(conversion)) return;
    const id = randomUUID();
    this.conversions.set(id, new WeakRef(conversion));
    this.gone.register(conversion, id);
    this.watches.set(conversion, new Watch(id, conversion, (changed, names) => this.note(changed, names)));
    if (this.host !== host) this.attach(host);
    this.pace.request();
  }

  /** Panels are to show this conversion. */
  show(conversion: Conversion): void {
    this.add(conversion);
    this.asked = this.watches.get(conversion)?.id ?? null;
    this.pace.request();
  }

  private attach(host: NotebookHost): void {
    this.host = host;
    host.comms.register(CONVERSION_COMM, (comm) => this.accept(comm));
    // Panels that looked for a conversion before there was one hear of it now.
    this.accept(host.comms.open(CONVERSION_COMM, this.list()));
  }

  private accept(comm: Comm): void {
    const panel: PanelComm = new PanelComm(
      comm,
      (message) => this.take(panel, message),
      () => this.comms.delete(panel),
    );
    this.comms.add(panel);
    panel.list(this.list());
  }

  private list(): Extract<KernelMessage, { type: "conversions" }> {
    const conversions = [...this.conversions].flatMap(([id, weak]) => {
      const conversion = weak.deref();
      if (!conversion) return [];
      return [{ id, model: conversion.original.name, variable: nameOf(conversion) }];
    });
    return { type: "conversions", version: 1, conversions, asked: this.asked };
  }

  private note(id: string, names: readonly SectionName[]): void {
    for (const panel of this.comms) if (panel.watched === id) for (const name of names) panel.stale.add(name);
    this.pace.request();
  }

  private flush(): void {
    const list = this.list();
    for (const panel of this.comms) {
      panel.list(list);
      this.update(panel);
    }
  }

  private update(panel: PanelComm): void {
    const { watched, stale } = panel;
    if (watched === null || stale.size === 0) return;
    const conversion = this.conversions.get(watched)?.deref();
    const watch = conversion && this.watches.get(conversion);
    if (!watch) {
      panel.watch(null);
      return;
    }
    try {
      panel.snapshot(
        watched,
        askingOnce(() => makeSections(stale, watch, conversion)),
      );
    } catch (error) {
      // A snapshot that cannot be made is said, and not tried again until something changes.
      panel.watch(null);
      panel.send({ type: "refused", error: sentenceOf(error) });
    }
  }

  private take(panel: PanelComm, message: PanelMessage): void {
    if (message.type === "watch") {
      panel.watch(message.conversion);
      panel.list(this.list());
      this.update(panel);
      return;
    }
    const conversion = this.conversions.get(message.conversion)?.deref();
    const watch = conversion && this.watches.get(conversion);
    if (message.type === "cancel") {
      conversion?.pending.find(({ id }) => id === message.command)?.cancel();
      return;
    }
    const { request } = message;
    const work = async (): Promise<KernelMessage> => {
      if (!watch)
        throw new LutnnError(
          "panel: the conversion must be one that this kernel has (it is gone); make it again, or choose another",
        );
      if (message.type === "question") return answer(request, message.question, conversion);
      const { sentence, warnings } = await runCommand(message.command, conversion, watch);
      return { type: "done", request, text: sentence, warnings: [...warnings] };
    };
    withoutDrawing(work).then(
      (done) => panel.send(done),
      (error: unknown) => panel.send({ type: "failed", request, error: sentenceOf(error) }),
    );
  }
}

const sentenceOf = (error: unknown): string => {
  if (error instanceof LutnnError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
};
