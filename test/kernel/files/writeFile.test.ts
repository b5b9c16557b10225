import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { LutnnError } from "lutnn";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimAside, releaseAside } from "../../../kernel/lib/files/aside";
import { fileError } from "../../../kernel/lib/files/fileError";
import { writeFileWhole } from "../../../kernel/lib/files/writeFile";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lutnn-files-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function refusal(path: string): Promise<LutnnError> {
  const error = await writeFileWhole(path, "new", "save").then(
    () => null,
    (error: unknown) => error,
  );
  if (!(error instanceof LutnnError)) throw new Error(`a LutnnError was expected (got ${error})`);
  return error;
}

describe("writeFileWhole", () => {
  it("writes text and bytes, makes the folders on the way, and leaves nothing beside", async () => {
    await writeFileWhole(join(folder, "a/b/c.txt"), "één");
    await writeFileWhole(join(folder, "a/b/d.bin"), Uint8Array.of(0, 255));
    await writeFileWhole(join(folder, "a/b/c.txt"), "two");
    expect(readFileSync(join(folder, "a/b/c.txt"), "utf8")).toBe("two");
    expect([...readFileSync(join(folder, "a/b/d.bin"))]).toEqual([0, 255]);
    expect(readdirSync(join(folder, "a/b")).sort()).toEqual(["c.txt", "d.bin"]);
  });

  it("takes names as long as the file system does", async () => {
    const names = ["x".repeat(255), "語".repeat(85), "😀".repeat(63)];
    for (const name of names) await writeFileWhole(join(folder, name), "long");
    expect(readdirSync(folder).sort()).toEqual(names.sort());
  });

  it("removes what a process that was killed left beside the file, and nothing else", async () => {
    const beside = (path: string, pid: number, earlierMs = 0) => {
      const aside = claimAside(join(folder, path));
      releaseAside(aside);
      const left = aside.replace(
        /-\d+-(\d+)-[0-9a-f]{8}\.part$/,
        (_, began) => `-${pid}-${began - earlierMs}-0123abcd.part`,
      );
      writeFileSync(left, "half");
      return left;
    };
    const ended = spawnSync(process.execPath, ["--version"]).pid;
    const left = beside("model.onnx", ended);
    // Of a process that had this one's number before it, as in a container.
    const before = beside("model.onnx", process.pid, 1000);
    const long = `${"語".repeat(39)}😀.onnx`;
    const withLongName = beside(long, ended);
    const kept = [
      beside("other.onnx", ended),
      beside("model.onnx", process.ppid),
      join(folder, "model.onnx.part"),
      claimAside(join(folder, "model.onnx")),
    ];
    for (const path of kept) writeFileSync(path, "kept");
    await writeFileWhole(join(folder, "model.onnx"), "new");
    await writeFileWhole(join(folder, long), "new");
    for (const path of [left, before, withLongName]) expect(existsSync(path), path).toBe(false);
    for (const path of kept) expect(existsSync(path), path).toBe(true);
    expect(readFileSync(join(folder, "model.onnx"), "utf8")).toBe("new");
  });

  it("leaves alone what another thread of this process is at, whatever the clock says", async () => {
    const worker = new Worker(
      `const { claimAside } = require(${JSON.stringify(require.resolve("../../../kernel/lib/files/aside"))});
       const { utimesSync, writeFileSync } = require("node:fs");
       const { parentPort, workerData } = require("node:worker_threads");
       const aside = claimAside(workerData);
       writeFileSync(aside, "half");
       utimesSync(aside, 1e9, 1e9);
       parentPort.postMessage(aside);
       setInterval(() => {}, 1000);`,
      { eval: true, workerData: join(folder, "a.bin") },
    );
    const [aside] = await once(worker, "message");
    await writeFileWhole(join(folder, "a.bin"), "new");
    expect(existsSync(aside)).toBe(true);
    await worker.terminate();
  });

  it("writes the file that a symbolic link leads to", async () => {
    writeFileSync(join(folder, "real"), "old");
    symlinkSync("real", join(folder, "link"));
    await writeFileWhole(join(folder, "link"), "new");
    expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, "real"), "utf8")).toBe("new");
  });

  it("refuses what is no file, in one sentence, and leaves it as it was", async () => {
    mkdirSync(join(folder, "taken"));
    writeFileSync(join(folder, "taken/inside"), "old");
    writeFileSync(join(folder, "file"), "old");
    expect((await refusal(join(folder, "taken"))).message).toBe(
      `save: the path must name a file, but a folder is there (got "${join(folder, "taken")}"); add a file name or choose another path`,
    );
    for (const path of ["", `${folder}/`, `${folder}/missing/`])
      expect((await refusal(path)).message).toMatch(
        /^save: the path must name a file \(got ".*"\); add a file name$/,
      );
    expect((await refusal(join(folder, "file/x.onnx"))).message).toMatch(
      /^save: every folder on the way must be one, but one of them is a file; .*\(got ENOTDIR|EEXIST for /,
    );
    expect((await refusal(join(folder, "file/deeper/x.onnx"))).message).toMatch(/every folder on the way/);
    expect((await refusal(join(folder, "a\0b"))).message).toMatch(/must have no null character/);
    expect((await refusal(join(folder, "x".repeat(256)))).message).toMatch(
      /choose a shorter one \(got ENAMETOOLONG/,
    );
    expect((await refusal("/dev/null")).message).toMatch(
      /but a device, pipe or socket is there \(got "\/dev\/null"\)/,
    );
    expect(readFileSync(join(folder, "taken/inside"), "utf8")).toBe("old");
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
    expect(readdirSync(folder).sort()).toEqual(["file", "taken"]);
    expect(existsSync(join(folder, "missing"))).toBe(false);
  });

  it.skipIf(process.platform === "win32")(
    "keeps the old file where the new one cannot be written to its end",
    () => {
      writeFileSync(join(folder, "model"), "old");
      // A limit on the size of files stands for a disk that fills up.
      const script = `
      const { writeFileWhole } = require(${JSON.stringify(join(import.meta.dirname, "../../../kernel/lib/files/writeFile.js"))});
      writeFileWhole(process.argv[1], Buffer.alloc(1 << 20), "save").catch((error) => console.log(error.name + "|" + error.message));`;
      const said = execFileSync(
        "sh",
        ["-c", 'ulimit -f 8; exec "$0" -e "$1" "$2"', process.execPath, script, join(folder, "model")],
        {
          encoding: "utf8",
        },
      );
      expect(said.trim()).toBe(
        `LutnnError|save: it must be no larger than the file system allows; choose another disk (got EFBIG for "${join(folder, "model")}")`,
      );
      expect(readFileSync(join(folder, "model"), "utf8")).toBe("old");
      expect(readdirSync(folder)).toEqual(["model"]);
    },
  );
});

describe("fileError", () => {
  const failed = (code: string, syscall?: string) => Object.assign(new Error("raw"), { code, syscall });

  it.each([
    [
      "ENOSPC",
      /^log: the disk must have room for it; free some space or choose another disk \(got ENOSPC for "p"\)$/,
    ],
    ["EACCES", /must have the right/],
    ["EROFS", /must not be read-only/],
    ["EISDIR", /must be a file, but a folder has that name; add a file name or choose another path/],
    ["ENOENT", /must exist, with every folder on the way/],
    ["EMFILE", /too many files open/],
  ])("says what %s means and what to do", (code, message) => {
    const error = fileError("log", "p", failed(code)) as LutnnError;
    expect(error).toBeInstanceOf(LutnnError);
    expect(error.message).toMatch(message);
    expect(error.cause).toMatchObject({ message: "raw" });
  });

  it("knows a quota by its number, which Node.js has no name for", () => {
    const { errno } = constants;
    const full = Object.assign(failed(`Unknown system error -${errno.EDQUOT}`, "write"), {
      errno: -errno.EDQUOT,
    });
    expect((fileError("save", "p", full) as LutnnError).message).toMatch(
      /^save: your quota on that disk must have room for it; .* \(got EDQUOT for "p"\)$/,
    );
  });

  it("knows what TensorFlow says of files", () => {
    const status = (code: number) => new Error(`Invalid TF_Status: ${code}\nMessage: /x\n\tFailed`);
    const said = (code: number) => (fileError("log", "p", status(code)) as LutnnError).message;
    expect(said(5)).toMatch(/^log: it must exist, .* \(got ENOENT for "p"\)$/);
    expect(said(7)).toMatch(/^log: you must have the right to do so; .* \(got EACCES for "p"\)$/);
    expect(said(8)).toMatch(/^log: the disk must have room for it; .* \(got ENOSPC for "p"\)$/);
    expect(said(2)).toBe(
      'log: the file system must allow it; check the path and the disk (got TensorFlow\'s status 2 for "p")',
    );
  });

  it("covers codes that it does not know, and passes on what is none of the file system's", () => {
    expect((fileError("log", "p", failed("EWEIRD", "write")) as Error).message).toBe(
      'log: the file system must allow it; check the path and the disk (got EWEIRD for "p")',
    );
    for (const other of [new LutnnError("own"), new Error("plain"), failed("ERR_ASSERTION"), "text", null])
      expect(fileError("log", "p", other)).toBe(other);
  });
});
