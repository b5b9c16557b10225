import { execFileSync } from "node:child_process";
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
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as lutnn from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { partialOf } from "../../../kernel/lib/files/aside";
import { seededRandom } from "../../../kernel/lib/pq/random";
import { tinyData, tinyNetwork } from "../network";
import { runVictim } from "./killed";

/**
 * Kills of each kind; npm run check:kills has more of them. Those of a training are in ../training/resume.test.ts, those of
 * the set-up in ../install/check.mjs.
 */
const kills = Number(process.env.LUTNN_KILLS ?? 2);
/** So few do not tell whether a kill came in the middle of writing. */
const areFew = kills < 50;
const seed = Number(process.env.LUTNN_KILLS_SEED ?? 1);
const timeout = 60_000 + kills * 20_000;

const root = mkdtempSync(join(tmpdir(), "lutnn-kills-"));
afterAll(() => rmSync(root, { recursive: true }));

const halfWritten = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
        partialOf(path.split("/").at(-1)!),
      )
    : [];

/**
 * Kills a victim again and again at random moments, looks after each, and lets one come to its end: then nothing that was
 * in the making is left. Returns how often something was.
 */
async function killAgainAndAgain(
  does: string,
  settings: { folder: string },
  longest: number,
  look: () => void | Promise<void>,
): Promise<number> {
  const random = seededRandom(seed, does);
  let inTheMaking = 0;
  for (let i = 0; i < kills; i++) {
    const { killed } = await runVictim(does, settings, longest * random());
    expect(killed).toBe(true);
    if (halfWritten(settings.folder).length > 0) inTheMaking++;
    await look();
  }
  await runVictim(does, { ...settings, once: true });
  await look();
  expect(halfWritten(settings.folder)).toEqual([]);
  return inTheMaking;
}

describe("a conversion that is written while its process is killed", () => {
  const stored = ["a", "b"].map((name) => join(root, `stored-${name}`));
  const manifestOf = (folder: string) => readFileSync(join(folder, "conversion.json"), "utf8");

  beforeAll(async () => {
    for (const [i, folder] of stored.entries()) {
      const conversion = lutnn.convert(tinyNetwork(i));
      await conversion.calibrate(tinyData(60, i), { method: "kmeans" });
      await conversion.replaceAll();
      await conversion.store(folder);
    }
  });

  it(
    "opens as one of those that were stored there, and its folder holds nothing else in the end",
    async () => {
      const folder = join(root, "store");
      let wasThere = false;
      const inTheMaking = await killAgainAndAgain(
        "store",
        { folder, stored } as { folder: string },
        250,
        async () => {
          const isThere = existsSync(join(folder, "conversion.json"));
          expect(isThere || !wasThere).toBe(true);
          wasThere = isThere;
          if (!isThere) return;
          expect(stored.map(manifestOf)).toContain(manifestOf(folder));
          (await lutnn.openConversion(folder)).original.dispose();
        },
      );
      expect(readdirSync(join(folder, "arrays")).sort()).toEqual(
        readdirSync(join(stored[0], "arrays")).sort(),
      );
      expect(inTheMaking > 0 || areFew).toBe(true);
    },
    timeout,
  );

  it(
    "is saved as one file or the other, whole",
    async () => {
      const folder = join(root, "save");
      const file = join(folder, "network.onnx");
      const files = await Promise.all(
        stored.map(async (from, i) => {
          const path = join(root, `saved-${i}.onnx`);
          await (await lutnn.openConversion(from)).save(path);
          return readFileSync(path);
        }),
      );
      const inTheMaking = await killAgainAndAgain(
        "save",
        { folder, stored } as { folder: string },
        120,
        () => {
          if (existsSync(file)) expect(files.some((whole) => whole.equals(readFileSync(file)))).toBe(true);
        },
      );
      expect(readdirSync(folder)).toEqual(["network.onnx"]);
      expect(inTheMaking > 0 || areFew).toBe(true);
    },
    timeout,
  );
});

describe("a file that is fetched while its process is killed", () => {
  const content = randomBytes(600_000);
  const pieces = 24;
  let server: Server;
  let taken = 0;

  async function answer(from: number, response: ServerResponse): Promise<void> {
    if (from > 0) taken++;
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": content.length - from,
      ...(from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
    });
    const length = content.length / pieces;
    for (let at = from; at < content.length && !response.destroyed; at += length) {
      response.write(content.subarray(at, at + length));
      await pause(2);
    }
    response.end();
  }

  beforeAll(async () => {
    server = createServer(({ headers }, response) => {
      response.on("error", () => undefined); // the victim was killed
      void answer(Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0), response);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it(
    "is there whole or not at all, and goes on where it was",
    async () => {
      const folder = join(root, "download");
      const path = join(folder, "file.bin");
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`;
      const file = { url, bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
      const inTheMaking = await killAgainAndAgain(
        "download",
        { folder, file } as { folder: string },
        250,
        () => {
          if (existsSync(path)) expect(readFileSync(path).equals(content)).toBe(true);
        },
      );
      expect(readdirSync(folder)).toEqual(["file.bin"]);
      expect(inTheMaking > 0 || areFew).toBe(true);
      expect(taken > 0 || areFew).toBe(true);
    },
    timeout,
  );
});

describe("an archive that is unpacked while its process is killed", () => {
  it(
    "is a folder of all its files or none",
    async () => {
      const made = join(root, "made");
      const contents = new Map(Array.from({ length: 60 }, (_, i) => [`file-${i}`, randomBytes(20_000)]));
      mkdirSync(made);
      for (const [name, content] of contents) writeFileSync(join(made, name), content);
      const archive = join(root, "made.tar.gz");
      execFileSync("tar", ["-czf", archive, "-C", made, "."]);

      const folder = join(root, "unpack");
      mkdirSync(folder);
      const looked = new Set<string>();
      const look = () => {
        for (const name of readdirSync(folder).filter((name) => !partialOf(name) && !looked.has(name))) {
          looked.add(name);
          expect(readdirSync(join(folder, name)).sort()).toEqual([...contents.keys()].sort());
          for (const [file, content] of contents)
            expect(readFileSync(join(folder, name, file)).equals(content)).toBe(true);
          for (const file of contents.keys()) rmSync(join(folder, name, file));
        }
      };
      const settings = { folder, archives: [archive] };
      const inTheMaking = await killAgainAndAgain("unpack", settings, 200, look);
      expect(looked.size).toBeGreaterThan(0);
      expect(inTheMaking > 0 || areFew).toBe(true);
    },
    timeout,
  );
});
