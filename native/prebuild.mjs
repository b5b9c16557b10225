// npm run prebuild: the lookup addon and that of native sessions as binaries to ship, in native/prebuilds/<platform>-<arch>/,
// and beside them the bill of materials of the release, lutnn.cdx.json (CycloneDX). Run it once on each platform; on Linux x64
// it also makes the one for Linux arm64 where Debian's cross compiler is there.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { writeBillOfMaterials } from "../kernel/install/sbom.mjs";
import { buildNative, shippedAddons } from "../kernel/install/steps.mjs";

const require = createRequire(import.meta.url);
const { target } = require("./binary.js");
const root = join(import.meta.dirname, "..");
const works = (command) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;

/** The newest version of the C library that a Linux binary asks for, read from its version strings. */
function glibcOf(path) {
  const versions = [...readFileSync(path, "latin1").matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, a, b]) => [
    +a,
    +b,
  ]);
  return versions
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .at(-1)
    ?.join(".");
}

function prebuild(platform, ...definitions) {
  const folder = `native/build-prebuilt-${platform}`;
  buildNative(folder, ...definitions, "--", ...shippedAddons.map((name) => name.replace(/\.node$/, "")));
  for (const name of shippedAddons) {
    const built = [join(root, folder, name), join(root, folder, "Release", name)].find(existsSync);
    const to = join(import.meta.dirname, "prebuilds", platform, name);
    mkdirSync(join(to, ".."), { recursive: true });
    copyFileSync(built, to);
    const glibc = platform.startsWith("linux") ? `, needs glibc ${glibcOf(to)}` : "";
    console.log(`native/prebuilds/${platform}/${name}: ${Math.round(statSync(to).size / 1024)} KiB${glibc}`);
  }
}

prebuild(target);
for (const name of shippedAddons) {
  const file = JSON.stringify(join(import.meta.dirname, "prebuilds", target, name));
  const loaded = spawnSync(process.execPath, ["-e", `require(${file})`]);
  if (loaded.status !== 0) throw new Error(`${name} for ${target} does not load: ${loaded.stderr}`);
}

const crossCompiler = "aarch64-linux-gnu-g++";
if (target === "linux-x64" && works(crossCompiler))
  prebuild(
    "linux-arm64",
    "-DCMAKE_SYSTEM_NAME=Linux",
    "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
    `-DCMAKE_CXX_COMPILER=${crossCompiler}`,
  );
else if (target === "linux-x64")
  console.log(`linux-arm64 is left out: there is no ${crossCompiler} here (Debian: g++-aarch64-linux-gnu)`);

const bill = join(import.meta.dirname, "prebuilds/lutnn.cdx.json");
console.log(`native/prebuilds/lutnn.cdx.json: ${writeBillOfMaterials(bill)} components`);
