import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LutnnError } from "lutnn";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { downloadFile, type RemoteFile } from "../../../kernel/lib/files/download";

const root = mkdtempSync(join(tmpdir(), "lutnn-download-"));
const content = randomBytes(300_001);
const sha256 = createHash("sha256").update(content).digest("hex");
const md5 = createHash("md5").update(content).digest("hex");
/** Long enough for a busy machine to answer, short enough to wait for. */
const patience = { silence: 2000, attempts: 3, pause: 5 };

let server: Server;
let origin = "";
let folder = "";
/** The range header of each request. */
let asked: (string | undefined)[] = [];
type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answer: Answer = () => undefined;

/** As servers do: the whole file, or the rest that is asked for. */
const wholly: Answer = ({ headers }, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
  const part = content.subarray(from);
  response.writeHead(from > 0 ? 206 : 200, {
    "content-length": part.length,
    ...(from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
  });
  response.end(part);
};
/** So many bytes more than were asked for, then the connection breaks. */
const breakingAfter =
  (count: number): Answer =>
  ({ headers }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": content.length - from,
      ...(from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
    });
    response.write(content.subarray(from, from + count), () => response.destroy());
  };

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.headers.range);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(root, "case-"));
  asked = [];
  answer = wholly;
});

const file = (changes: Partial<RemoteFile> = {}): RemoteFile => ({
  url: `${origin}/file.bin`,
  bytes: content.length,
  sha256,
  ...changes,
});
const fetched = (wanted = file(), signal = new AbortController().signal, onReceived?: (n: number) => void) =>
  downloadFile(wanted, join(folder, "file.bin"), { signal, patience, onReceived });
const isThere = () => readFileSync(join(folder, "file.bin")).equals(content);

describe("a download", () => {
  it("is there whole under its name alone, whichever checksum is known, and says how far it is", async () => {
    for (const known of [{}, { sha256: undefined, md5 }, { sha256: undefined }]) {
      const received: number[] = [];
      rmSync(join(folder, "file.bin"), { force: true });
      await fetched(file(known), undefined, (bytes) => received.push(bytes));
      expect(isThere()).toBe(true);
      expect(readdirSync(folder)).toEqual(["file.bin"]);
      expect(received.at(-1)).toBe(content.length);
      expect(received).toEqual([...received].sort((a, b) => a - b));
    }
  });

  it("goes on where the connection broke, and never asks for a byte twice", async () => {
    answer = breakingAfter(100_000);
    await fetched();
    expect(isThere()).toBe(true);
    expect(asked[0]).toBeUndefined();
    expect(asked.length).toBeGreaterThanOrEqual(4);
    const starts = asked.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range!)![1]));
    expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
  });

  it("begins anew where the server knows no ranges, or where no checksum would tell", async () => {
    let first = true;
    answer = (request, response) => {
      const act = first ? breakingAfter(100_000) : wholly;
      first = false;
      act({ ...request, headers: {} } as IncomingMessage, response);
    };
    await fetched();
    expect(isThere()).toBe(true);
    first = true;
    asked = [];
    await fetched(file({ sha256: undefined, url: `${origin}/other.bin` }));
    expect(isThere()).toBe(true);
    expect(asked).toEqual([undefined, undefined]);
  });

  it("gives up on a server that breaks every time without a further byte, and keeps what it has", async () => {
    let count = 0;
    answer = (request, response) =>
      count++ === 0 ? breakingAfter(1000)(request, response) : response.destroy();
    await expect(fetched()).rejects.toThrow(/file\.bin must send the file \(.+\); try again/);
    expect(count).toBe(4); // one that brought bytes, then as many as patience has
    expect(readdirSync(folder)).toHaveLength(1);
    expect(readdirSync(folder)[0]).toMatch(/^file\.bin\..+\.part$/);
    answer = wholly;
    asked = [];
    await fetched();
    expect(asked).toEqual(["bytes=1000-"]);
    expect(isThere()).toBe(true);
    expect(readdirSync(folder)).toEqual(["file.bin"]);
  });

  it("takes up what a killed process left, and leaves alone what another one is at", async () => {
    const beside = (id: number, what: Buffer) => {
      const { name } = { name: readdirSync(folder)[0] };
      const other = name.replace(/-\d+-(\d+)-[0-9a-f]{8}\.part$/, `-${id}-$1-0123abcd.part`);
      rmSync(join(folder, name));
      writeFileSync(join(folder, other), what);
      return other;
    };
    answer = breakingAfter(10);
    const stop = new AbortController();
    await expect(fetched(file(), stop.signal, () => stop.abort())).rejects.toThrow();
    const dead = Number(execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }));
    beside(dead, content.subarray(0, 200_000));
    answer = wholly;
    asked = [];
    await fetched();
    expect(asked).toEqual(["bytes=200000-"]);
    expect(readdirSync(folder)).toEqual(["file.bin"]);

    rmSync(join(folder, "file.bin"));
    answer = breakingAfter(10);
    const again = new AbortController();
    await expect(fetched(file(), again.signal, () => again.abort())).rejects.toThrow();
    const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
    const other = beside(child.pid!, content.subarray(0, 5));
    answer = wholly;
    asked = [];
    await fetched();
    child.kill();
    expect(asked).toEqual([undefined]);
    expect(readdirSync(folder).sort()).toEqual(["file.bin", other].sort());
  });

  it("whose left part is of another version begins anew, once", async () => {
    answer = breakingAfter(1000);
    const stop = new AbortController();
    await expect(fetched(file(), stop.signal, () => stop.abort())).rejects.toThrow();
    const [part] = readdirSync(folder);
    writeFileSync(join(folder, part), randomBytes(5000));
    answer = wholly;
    asked = [];
    await fetched();
    expect(asked).toEqual(["bytes=5000-", undefined]);
    expect(isThere()).toBe(true);
  });

  it("that is not what was published is refused, and nothing of it is kept", async () => {
    const wrong = { sha256: "0".repeat(64) };
    await expect(fetched(file(wrong))).rejects.toThrow(
      /file\.bin must have 300001 bytes and sha256 0{64} \(got 300001 and [0-9a-f]{64}\); nothing was kept/,
    );
    await expect(fetched(file({ sha256: undefined, md5: "0".repeat(32) }))).rejects.toThrow(/and md5 0{32}/);
    await expect(fetched(file({ bytes: content.length + 1 }))).rejects.toThrow(
      /must have 300002 bytes \(the server has 300001\)/,
    );
    answer = (_request, response) => {
      response.writeHead(200); // no length: more and more
      const timer = setInterval(() => response.write(content), 1);
      response.on("close", () => clearInterval(timer));
    };
    await expect(fetched()).rejects.toThrow(/must have 300001 bytes \(the server sends more\)/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is ended by silence, before the answer and within it", async () => {
    answer = () => undefined;
    const quick = { silence: 150, attempts: 2, pause: 5 };
    const attempt = () =>
      downloadFile(file(), join(folder, "file.bin"), {
        signal: new AbortController().signal,
        patience: quick,
      });
    await expect(attempt()).rejects.toThrow(/must send the file \(it sent nothing for 0\.15 s\)/);
    expect(asked).toHaveLength(2);
    answer = (_request, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 10));
    };
    await expect(attempt()).rejects.toThrow(LutnnError);
    await expect(attempt()).rejects.toThrow(/it sent nothing for 0\.15 s/);
  });

  it("follows five redirects, not six, to http and https alone", async () => {
    const hops: Answer = (request, response) => {
      const left = Number(request.url!.slice(1));
      if (left === 0) wholly(request, response);
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    };
    answer = hops;
    await fetched(file({ url: `${origin}/5` }));
    expect(isThere()).toBe(true);
    rmSync(join(folder, "file.bin"));
    await expect(fetched(file({ url: `${origin}/6` }))).rejects.toThrow(
      /in 5 redirects \(it goes on to "\/0"\)/,
    );
    answer = (_request, response) => response.writeHead(301, { location: "/round" }).end();
    await expect(fetched()).rejects.toThrow(/in 5 redirects/);
    for (const location of ["file:///etc/hostname", "ftp://127.0.0.1/x", "http://["]) {
      answer = (_request, response) => response.writeHead(302, { location }).end();
      await expect(fetched()).rejects.toThrow(/must be an address of http or https \(it leads to/);
    }
    for (const url of ["file:///etc/hostname", "no address"])
      await expect(fetched(file({ url }))).rejects.toThrow(
        /must be an address of http or https \(it is none\)/,
      );
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says the status of a refusal at once and asks again after one that may pass", async () => {
    answer = (_request, response) => response.writeHead(404).end();
    await expect(fetched()).rejects.toThrow(/must answer with the file \(got status 404\)/);
    expect(asked).toHaveLength(1);
    let busy = true;
    answer = (request, response) => {
      if (busy) response.writeHead(503).end();
      else wholly(request, response);
      busy = false;
    };
    await fetched();
    expect(isThere()).toBe(true);
  });

  it("ends at once when it is aborted, with the signal's reason", async () => {
    const stop = new AbortController();
    answer = (_request, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 1000));
    };
    const reason = new Error("enough");
    await expect(fetched(file(), stop.signal, () => stop.abort(reason))).rejects.toBe(reason);
    await expect(fetched(file(), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("says when nobody listens, and when the place is none", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    await expect(fetched(file({ url: `http://127.0.0.1:${port}/x` }))).rejects.toThrow(
      /must send the file \(.*ECONNREFUSED/,
    );
    writeFileSync(join(folder, "taken"), "");
    const path = join(folder, "taken/file.bin");
    await expect(downloadFile(file(), path, { signal: new AbortController().signal })).rejects.toThrow(
      /^download: every folder on the way must be one/,
    );
    mkdirSync(join(folder, "file.bin"));
    await expect(fetched()).rejects.toThrow(/^download: /);
    expect(existsSync(join(folder, "file.bin"))).toBe(true);
  });
});
