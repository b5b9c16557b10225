import { Signal } from "@lumino/signaling";
import { expect, it } from "vitest";
import { watchFirstConversions } from "../../../extension/src/panel/lab/firstConversion";
import { NotebookLink } from "../../../extension/src/panel/lab/notebookLink";
import { conversionsMessage } from "../fixtures/conversion";
import { FakeComm, FakeKernel } from "../fixtures/kernel";

/** What the panel uses of a notebook's session, which has one kernel after the other. */
class FakeContext {
  readonly kernelChanged = new Signal<this, void>(this);
  readonly disposed = new Signal<this, void>(this);
  session: { kernel: FakeKernel | null } | null = null;
  async use(kernel: FakeKernel | null) {
    this.session = { kernel };
    this.kernelChanged.emit();
    await kernel?.info;
    await Promise.resolve();
  }
}

const linkOf = (context: FakeContext) => new NotebookLink(context as never);

it("a notebook without a kernel has a model that is tied to none, and to its kernel once it has one", async () => {
  const context = new FakeContext();
  const link = linkOf(context);
  expect(link.model.link).toBe("none");
  const kernel = new FakeKernel();
  await context.use(kernel);
  kernel.comms[0].say(conversionsMessage("one"));
  expect([link.model.link, link.model.conversions.length]).toEqual(["live", 1]);
});

it("another kernel takes the place of the first, whose conversions are forgotten and whose comm is closed", async () => {
  const [context, first, second] = [new FakeContext(), new FakeKernel(), new FakeKernel()];
  const link = linkOf(context);
  await context.use(first);
  first.comms[0].say(conversionsMessage("one"));
  await context.use(first); // told once more: nothing changes
  expect([first.comms.length, link.model.link]).toEqual([1, "live"]);
  await context.use(second);
  expect(first.comms[0].isDisposed).toBe(true);
  expect(link.model.conversions).toEqual([]);
  second.comms[0].say(conversionsMessage("two"));
  expect(link.model.conversions).toHaveLength(1);
  await context.use(null);
  expect([link.model.link, second.comms[0].isDisposed]).toEqual(["none", true]);
});

it("a kernel that had no conversions is asked once it says that it has one", async () => {
  const [context, kernel] = [new FakeContext(), new FakeKernel()];
  const link = linkOf(context);
  link.ask(); // there is no kernel yet
  await context.use(kernel);
  kernel.comms[0].onClose();
  link.ask();
  await kernel.info;
  await Promise.resolve();
  expect(kernel.comms).toHaveLength(2);
});

it("a notebook that is closed lets go of its kernel, and follows no other one", async () => {
  const [context, kernel, later] = [new FakeContext(), new FakeKernel(), new FakeKernel()];
  linkOf(context);
  await context.use(kernel);
  context.disposed.emit();
  expect(kernel.comms[0].isDisposed).toBe(true);
  await context.use(later);
  expect(later.comms).toHaveLength(0);
});

it("the first conversion of any notebook, open already or opened later, is told once its kernel says so", () => {
  const notebook = (kernel: FakeKernel | null) => {
    const sessionContext = new FakeContext();
    sessionContext.session = { kernel };
    return { sessionContext };
  };
  const kernels = [new FakeKernel(), new FakeKernel(), new FakeKernel()];
  const [open, later] = [notebook(kernels[0]), notebook(null)];
  const tracker = {
    forEach: (each: (one: object) => void) => each(open),
    widgetAdded: new Signal<object, object>({}),
  };
  const found: object[] = [];
  watchFirstConversions(tracker as never, (one) => found.push(one));
  tracker.widgetAdded.emit(later);
  void later.sessionContext.use(kernels[1]);
  void open.sessionContext.use(kernels[2]); // in the place of the first one
  for (const kernel of kernels)
    for (const tell of kernel.targets.values()) {
      const comm = new FakeComm();
      tell(comm);
      expect(comm.isDisposed).toBe(true);
    }
  expect(found).toEqual([open, later, open]);
});
