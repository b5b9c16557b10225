import { beforeEach, describe, expect, it } from "vitest";
import { type Change, PanelModel } from "../../../extension/src/panel/model/panelModel";
import type { PanelMessage } from "../../../kernel/src/report/conversionMessages";
import { conversionsMessage, fakeDetail, fakeSections, wholeSnapshot } from "../fixtures/conversion";

const names = ["a", "b", "c", "d"]; // replaced, replaced, calibrated, dense
let model: PanelModel;
let sent: PanelMessage[];
let changes: Set<Change>;

beforeEach(() => {
  model = new PanelModel();
  sent = [];
  changes = new Set();
  model.changed.connect((_, some) => {
    for (const change of some) changes.add(change);
  });
});

function open(): void {
  model.connect((message) => sent.push(message));
  model.receive(conversionsMessage("one", "two"));
  model.receive(wholeSnapshot("two", names));
  sent.length = 0;
  changes.clear();
}

const lastRequest = () => {
  const last = sent.at(-1);
  if (last?.type !== "command" && last?.type !== "question") throw new Error("nothing was asked");
  return last.request;
};

describe("a kernel that is asked", () => {
  it("is told to watch its newest conversion", () => {
    model.connect((message) => sent.push(message));
    expect(model.link).toBe("asking");
    model.receive(conversionsMessage("one", "two"));
    expect(model.link).toBe("live");
    expect(sent.at(-1)).toEqual({ type: "watch", conversion: "two" });
    expect(model.layers).toEqual([]);
    model.receive(wholeSnapshot("two", names));
    expect(model.layers.map(({ name }) => name)).toEqual(names);
  });

  it("keeps the chosen conversion when another one comes, and takes the newest when it goes", () => {
    open();
    model.receive(conversionsMessage("one", "two", "three"));
    expect(model.conversion?.id).toBe("two");
    model.receive(conversionsMessage("one", "three"));
    expect(model.conversion?.id).toBe("three");
    expect(model.layers).toEqual([]);
  });

  it("is followed to what a variable holds after its cell was run again, unless another was chosen by hand", () => {
    open();
    const named = (...variables: (string | null)[]) => {
      const conversions = ["one", "two", "three"].map((id, at) => ({
        id,
        model: id,
        variable: variables[at],
      }));
      model.receive({ type: "conversions", version: 1, conversions, asked: null });
    };
    named("one", null, null); // the cell runs: the new one is in no variable yet
    expect(model.conversion?.id).toBe("two");
    named("one", null, "two");
    expect(model.conversion?.id).toBe("three");
    expect(sent.at(-1)).toEqual({ type: "watch", conversion: "three" });
    model.choose("two");
    named("one", null, "two");
    expect(model.conversion?.id).toBe("two");
  });

  it("shows the conversion that the notebook asks for, once each time", () => {
    open();
    const list = conversionsMessage("one", "two", "three");
    if (list.type !== "conversions") throw new Error(list.type);
    model.receive({ ...list, asked: "one" });
    expect(model.conversion?.id).toBe("one");
    model.choose("three");
    model.receive({ ...list, asked: "one" });
    expect(model.conversion?.id).toBe("three");
    model.receive({ ...list, asked: "two" });
    expect(model.conversion?.id).toBe("two");
  });

  it("has snapshots of a conversion that is not watched any more dropped", () => {
    open();
    model.choose("one");
    model.receive(wholeSnapshot("two", names, 9));
    expect(model.layers).toEqual([]);
    model.receive(wholeSnapshot("one", ["x"], 1));
    expect(model.layers).toHaveLength(1);
  });
});

describe("a connection that ends", () => {
  it("forgets everything at a restart, and says that the kernel restarts to whoever waits", async () => {
    open();
    model.select((selection) => selection.only("c"));
    const waiting = model.command({ verb: "undo" });
    model.disconnect("restarting");
    await waiting;
    expect(model.notice).toEqual({ kind: "fault", text: "the kernel restarts" });
    expect([model.link, model.conversions, model.conversion]).toEqual(["restarting", [], null]);
    expect(model.selection.active).toBeNull();
  });

  it("keeps what is shown while the kernel cannot be reached, and asks for the same conversion afterwards", () => {
    open();
    model.choose("one");
    model.receive(wholeSnapshot("one", names));
    model.select((selection) => selection.only("b"));
    model.disconnect("unreachable");
    expect(model.layers).toHaveLength(4);
    model.connect((message) => sent.push(message));
    expect(sent.at(-1)).toEqual({ type: "watch", conversion: "one" });
    model.receive(conversionsMessage("one", "two"));
    expect(model.selection.active).toBe("b");
  });

  it("sends nothing where nobody listens", async () => {
    open();
    model.disconnect("dead");
    await model.command({ verb: "undo" });
    model.cancel(3);
    expect(sent).toEqual([]);
  });
});

describe("commands", () => {
  it("become a notice when they have ended, warnings after it", async () => {
    open();
    const command = model.command({ verb: "replace", layers: ["c"] });
    expect(sent).toEqual([
      { type: "command", request: 1, conversion: "two", command: { verb: "replace", layers: ["c"] } },
    ]);
    const said: unknown[] = [];
    model.changed.connect((_, some) => some.has("notice") && said.push(model.notice));
    model.receive({ type: "done", request: 1, text: "replaced c", warnings: ["c is small"] });
    await command;
    expect(said).toEqual([
      { kind: "result", text: "replaced c" },
      { kind: "warning", text: "c is small" },
    ]);
  });

  it("that fail say the kernel's sentence", async () => {
    open();
    const command = model.command({ verb: "undo" });
    model.receive({ type: "failed", request: lastRequest(), error: "undo: nothing is left" });
    await command;
    expect(model.notice).toEqual({ kind: "fault", text: "undo: nothing is left" });
  });

  it("answer their own request, in whichever order answers come", async () => {
    open();
    const [first, second] = [model.cell(1), model.cell(2)];
    model.receive({ type: "cell", request: 2, code: "two" });
    model.receive({ type: "cell", request: 1, code: "one" });
    expect(await Promise.all([first, second])).toEqual(["one", "two"]);
  });

  it("an answer of before the page was loaded is dropped", () => {
    open();
    model.receive({ type: "done", request: 77, text: "old", warnings: [] });
    expect(model.notice).toBeNull();
  });
});

describe("the inside of a layer", () => {
  it("is asked for where it is shown, once for a layer in a state", async () => {
    open();
    model.select((selection) => selection.only("a"));
    expect(sent).toEqual([]);
    model.wantsDetail = true;
    model.select((selection) => selection.only("a"));
    expect(sent).toHaveLength(1);
    model.receive({ type: "layer", request: lastRequest(), detail: fakeDetail("a") });
    await Promise.resolve();
    await Promise.resolve();
    expect(model.detail?.layer).toBe("a");
    const sections = fakeSections(names);
    const history = { ...sections.history, current: 3 };
    model.receive({ type: "snapshot", conversion: "two", sequence: 2, whole: false, sections: { history } });
    expect(sent).toHaveLength(2);
  });

  it("is not asked of a layer that is dense", () => {
    open();
    model.wantsDetail = true;
    model.select((selection) => selection.only("d"));
    expect(sent).toEqual([]);
  });

  it("of a layer that is not chosen any more is dropped", async () => {
    open();
    model.wantsDetail = true;
    model.select((selection) => selection.only("a"));
    const first = lastRequest();
    model.select((selection) => selection.only("b"));
    model.receive({ type: "layer", request: first, detail: fakeDetail("a") });
    await Promise.resolve();
    await Promise.resolve();
    expect(model.detail).toBeNull();
  });
});

it("rows are made anew when what they show changes, and not otherwise", () => {
  open();
  const { rows } = model;
  model.receive({
    type: "snapshot",
    conversion: "two",
    sequence: 2,
    whole: false,
    sections: { commands: [] },
  });
  expect(model.rows).toBe(rows);
  expect(changes.has("rows")).toBe(false);
  model.filter = { name: "b", leastLoss: null };
  expect(model.rows.map(({ layer }) => layer.name)).toEqual(["b"]);
  model.order = { key: "name", descending: true };
  model.filter = { name: "", leastLoss: null };
  expect(model.rows.map(({ layer }) => layer.name)).toEqual(["d", "c", "b", "a"]);
});

it("two models of two kernels share nothing", () => {
  open();
  const other = new PanelModel();
  const toOther: PanelMessage[] = [];
  other.connect((message) => toOther.push(message));
  other.receive(conversionsMessage("two"));
  other.receive(wholeSnapshot("two", ["z"]));
  toOther.length = 0;
  model.select((selection) => selection.only("a"));
  void model.command({ verb: "undo" });
  expect(toOther).toEqual([]);
  expect(other.selection.active).toBeNull();
  expect([model.layers.length, other.layers.length]).toEqual([4, 1]);
});
