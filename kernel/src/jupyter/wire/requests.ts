import type { JsonObject, Request } from "../link";
import { log } from "../log";
import { decode } from "./codec";
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
    const { signer, mailer, input, forward, end } = this.options;
    this.taken++;
    const request = decode(channel, frames, signer);
    if (typeof request === "string") return log(`a message on ${channel} was ignored: ${request}`);
    this.isWanted = true;
    const { headerJson: parent, identities, content } = request;
    const type = request.header.msg_type;
    if (channel === "stdin") return input(content.value);
    const answer = this.answers.get(type);
    if (!answer) return forward(request);
    mailer.status(parent, "busy");
    const reply = JSON.stringify(await answer(content, type));
    mailer.send(channel, { identities, type: type.replace("_request", "_reply"), parent, content: reply });
    mailer.status(parent, "idle");
    if (type === "shutdown_request") await end();
  };
}
