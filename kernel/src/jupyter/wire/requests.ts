import type { JsonObject, Request } from "../link";
import { log, logError } from "../log";
import { type Asker, decode } from "./codec";
import { kernelInfo } from "./kernelInfo";
import type { Mailer } from "./mailer";
import type { Signer } from "./signature";

export interface RequestsOptions {
  signer: Signer;
  mailer: Mailer;
  /** Answers about the input history, and of the compile thread. */
  history(content: JsonObject): object;
  assist(type: string, content: JsonObject): Promise<object>;
  interrupt(): void;
  /** Takes the answer to a question. */
  input(value: unknown): void;
  /** Takes what this thread does not answer. */
  forward(request: Request): void;
  end(): Promise<void>;
}

type Answer = (content: JsonObject, type: string) => object | Promise<object>;

/** What clients ask: checked, and answered here where no user's code is needed for it. */
export class Requests {
  /** Messages taken so far. Whether more has come is not asked of a socket: the question can cost it its next wake-up. */
  taken = 0;
  /** True once somebody has asked for something. */
  isWanted = false;
  /** A map, since a message may be of any type, also of a name that every object has. */
  private readonly answers: ReadonlyMap<string, Answer>;

  constructor(private readonly options: RequestsOptions) {
    const { history, assist, interrupt } = options;
    const ask: Answer = (content, type) => assist(type, content);
    this.answers = new Map<string, Answer>([
      ["kernel_info_request", kernelInfo],
      ["history_request", (content) => history(content)],
      ["complete_request", ask],
      ["inspect_request", ask],
      ["is_complete_request", ask],
      [
        "interrupt_request",
        () => {
          interrupt();
          return { status: "ok" };
        },
      ],
      ["shutdown_request", ({ restart }) => ({ status: "ok", restart: restart === true })],
    ]);
  }

  /** Takes the messages of a channel. */
  from = (channel: Request["channel"]) => async (frames: Buffer[]) => {
    const { signer, input, forward, end } = this.options;
    this.taken++;
    const request = decode(channel, frames, signer);
    if ("rule" in request) {
      log(`a message on ${channel} was ignored: ${request.rule}`);
      const { asker, rule } = request;
      if (asker && isWaitedFor(asker))
        await this.reply(channel, asker, () => Promise.reject(new UnreadableMessage(rule)));
      return;
    }
    this.isWanted = true;
    const { content } = request;
    const type = request.header.msg_type;
    if (channel === "stdin") return input(content.value);
    const answer = this.answers.get(type);
    if (answer) await this.reply(channel, request, async () => answer(content, type));
    else
      try {
        forward(request);
      } catch (error) {
        if (!isWaitedFor(request)) throw error;
        await this.reply(channel, request, () => Promise.reject(error));
      }
    if (type === "shutdown_request") await end();
  };

  /** Sends the answer to a request, or why there is none. */
  private async reply(
    channel: Request["channel"],
    { header, headerJson: parent, identities }: Asker,
    answer: () => Promise<object>,
  ): Promise<void> {
    const { mailer } = this.options;
    mailer.status(parent, "busy");
    let content: string;
    try {
      content = JSON.stringify(await answer());
    } catch (error) {
      if (!(error instanceof UnreadableMessage)) logError("a message could not be handled", error);
      const { name: ename, message } = error as Error;
      const rule = error instanceof RangeError ? "its parts are nested too deeply" : message;
      const evalue = `${header.msg_type}: the message must be one that can be handed on (it is not: ${rule})`;
      content = JSON.stringify({ status: "error", ename, evalue, traceback: [evalue] });
    }
    const type = header.msg_type.replace("_request", "_reply");
    mailer.send(channel, { identities, type, parent, content });
    mailer.status(parent, "idle");
  }
}

/** Whoever asks waits for an answer; nobody waits for one to other messages. */
const isWaitedFor = ({ header }: Asker): boolean => header.msg_type.endsWith("_request");

/** Of a message whose parts are not what the protocol says. */
class UnreadableMessage extends Error {
  override name = "UnreadableMessage";
}
