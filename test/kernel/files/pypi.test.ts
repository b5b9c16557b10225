import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { indexOf, pypiAddress } from "../../../kernel/lib/files/pypi";

const signal = new AbortController().signal;
const file = { project: "Some_Package.x", name: "some-1.0.zip", sha256: "a".repeat(64) };
let server: Server;
let index = "";
let answer: { type: string; body: string; status?: number };
let asked: { url?: string; authorization?: string } = {};

beforeAll(async () => {
  server = createServer((request, response) => {
    asked = { url: request.url, authorization: request.headers.authorization };
    response.writeHead(answer.status ?? 200, { "content-type": answer.type });
    response.end(answer.body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  index = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
});
afterAll(() => void server.close());

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

  it("is refused where nobody answers", async () => {
    await expect(pypiAddress(file, "http://127.0.0.1:9/simple", signal)).rejects.toThrow(
      /must list some-1.0.zip \(/,
    );
  });
});
