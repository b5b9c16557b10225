import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LutnnError } from "lutnn";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { indexOf, pypiAddress } from "../../../kernel/lib/files/pypi";

const signal = new AbortController().signal;
/** Of a page of 2 MB; where it grew with the square it would be minutes. */
const mostCpuSeconds = 5;
const file = { project: "Some_Package.x", name: "some-1.0.zip", sha256: "a".repeat(64) };
let server: Server;
let index = "";
let answer: { type: string; body: string; status?: number };
/** What the server does instead of giving that answer. */
let acts: ((response: ServerResponse) => void) | null = null;
let asked: { url?: string; authorization?: string } = {};

beforeAll(async () => {
  server = createServer((request, response) => {
    asked = { url: request.url, authorization: request.headers.authorization };
    if (acts) return void acts(response);
    response.writeHead(answer.status ?? 200, { "content-type": answer.type });
    response.end(answer.body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  index = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  acts = null;
});

const json = (files: unknown) => ({
  type: "application/vnd.pypi.simple.v1+json",
  body: JSON.stringify({ files }),
});

describe("the index of pip", () => {
  it("is what pip's settings say, the environment before the files", () => {
    expect(indexOf("")).toBe("https://pypi.org/simple");
    const files = "global.cert='/x'\nglobal.index-url='https://a.example/simple/'\n";
    expect(indexOf(files)).toBe("https://a.example/simple");
    expect(indexOf(`:env:.index-url='https://b.example/'\r\n${files}`)).toBe("https://b.example");
    expect(indexOf(`${files}download.index-url='https://c.example'\n`)).toBe("https://c.example");
  });

  it("gives a file's address, in both forms of its answer", async () => {
    const other = { filename: "some-2.0.zip", url: "x", hashes: {} };
    answer = json([
      other,
      { filename: file.name, url: "../files/some-1.0.zip", hashes: { sha256: file.sha256 } },
    ]);
    const origin = new URL(index).origin;
    expect(await pypiAddress(file, index, signal)).toBe(`${origin}/simple/files/some-1.0.zip`);
    expect(asked.url).toBe("/simple/some-package-x/");
    const link = `<a href="https://f.example/p?a=1&amp;b=2#sha256=${file.sha256}" data-x="">some-1.0.zip</a>`;
    answer = { type: "text/html; charset=utf-8", body: `<html><a href="y">some-2.0.zip</a>${link}</html>` };
    expect(await pypiAddress(file, index, signal)).toBe("https://f.example/p?a=1&b=2");
  });

  it("is given the name and password of its address, which no error repeats", async () => {
    answer = json([]);
    const secret = index.replace("//", "//me:pass%21@");
    const error = await pypiAddress(file, secret, signal).catch((one: Error) => one);
    expect(asked.authorization).toBe(`Basic ${Buffer.from("me:pass!").toString("base64")}`);
    expect(String(error)).toMatch(/must list some-1\.0\.zip \(it has 0 other files\)/);
    expect(String(error)).not.toContain("pass");
  });

  it.each([
    [{ type: "text/html", body: "", status: 404 }, /answers with status 404/],
    [{ type: "application/json", body: "{" }, /answers with no list/],
    [
      json([{ filename: file.name, url: "x", hashes: { sha256: "b".repeat(64) } }]),
      /has another checksum, "b+"/,
    ],
  ])("is refused in a sentence where it has not the file: %j", async (given, message) => {
    answer = given;
    await expect(pypiAddress(file, index, signal)).rejects.toThrow(message);
  });

  it("is refused where it stalls, breaks off, never ends or leads round in a circle", async () => {
    const list = { "content-type": "text/html" };
    const refusals: [typeof acts, RegExp][] = [
      [() => undefined, /\(it sent nothing for 0\.15 s\)/],
      [(response) => response.writeHead(200, list).write("<a"), /\(it sent nothing for 0\.15 s\)/],
      [
        (response) => response.writeHead(200, list).write("<a", () => response.destroy()),
        /must list some-1\.0\.zip \(/,
      ],
      [(response) => response.writeHead(302, { location: "/round" }).end(), /\(redirect count exceeded\)/],
      [
        (response) => {
          response.writeHead(200, list);
          const part = Buffer.alloc(1 << 22, "x");
          const more = () => response.write(part, (error) => error ?? setImmediate(more));
          more();
        },
        /\(it answers with more than 67108864 bytes\)/,
      ],
    ];
    for (const [act, message] of refusals) {
      acts = act;
      const attempt = pypiAddress(file, index, signal, 150);
      await expect(attempt).rejects.toThrow(LutnnError);
      await expect(attempt).rejects.toThrow(message);
    }
  });

  it("ends at once when it is aborted, with the signal's reason", async () => {
    const [stop, reason] = [new AbortController(), new Error("enough")];
    acts = () => stop.abort(reason);
    await expect(pypiAddress(file, index, stop.signal)).rejects.toBe(reason);
  });

  it("is refused where it is no address, or gives one that is none", async () => {
    await expect(pypiAddress(file, "nonsense", signal)).rejects.toThrow(/\(that is no address\)/);
    answer = json([{ filename: file.name, url: "http://[" }]);
    await expect(pypiAddress(file, index, signal)).rejects.toThrow(
      /gives the address "http:\/\/\[", which is none/,
    );
    answer = json([{ filename: file.name }]);
    await expect(pypiAddress(file, index, signal)).rejects.toThrow(/gives the address "", which is none/);
    answer = json([]);
    await expect(pypiAddress(file, index.replace("//", "//me:50%@"), signal)).rejects.toThrow(
      /0 other files/,
    );
    expect(asked.authorization).toBe(`Basic ${Buffer.from("me:50%").toString("base64")}`);
  });

  it("takes a page of any text in time that grows with it alone", async () => {
    for (const piece of ["<a ", '<a href="x', ' href="#sha256='])
      for (const around of [(text: string) => text, (text: string) => `<a ${text}>`]) {
        answer = { type: "text/html", body: around(piece.repeat(200_000)) };
        const before = process.cpuUsage();
        await expect(pypiAddress(file, index, signal)).rejects.toThrow(/must list some-1\.0\.zip/);
        const { user } = process.cpuUsage(before);
        expect(user / 1e6, `${piece}: seconds of a processor`).toBeLessThan(mostCpuSeconds);
      }
  });

  it("is refused where nobody answers", async () => {
    await expect(pypiAddress(file, "http://127.0.0.1:9/simple", signal)).rejects.toThrow(
      /must list some-1.0.zip \(/,
    );
  });
});
