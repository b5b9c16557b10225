// What a release holds and needs at run time, as CycloneDX 1.5 JSON: node kernel/install/sbom.mjs [FILE], default
// out/lutnn.cdx.json. npm tells of its packages from the lock file; the Python packages are those of the requirements.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { wheelPin } from "./tensorflow.mjs";
import { at, npm, root } from "./workspace.mjs";

/** Requirements that a user's set-up installs; those of the tests are not among them. */
const requirements = ["kernel/install/requirements.txt", wheelPin];

/**
 * The pinned packages of a requirements file.
 * @param {string} path in the checkout
 * @returns {{ name: string, version: string, marker: string, hashes: string[] }[]} hashes: SHA-256
 */
export function pinnedIn(path) {
  const lines = readFileSync(at(path), "utf8")
    .replaceAll(/\\\r?\n/g, " ")
    .split("\n")
    .map((line) => line.trim());
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = line, version = "", marker = ""] =
        /^([\w.-]+)(?:\[[^\]]*\])?==([\w.!+-]+)\s*(?:;\s*(.*?))?\s*(?=--hash|$)/.exec(line) ?? [];
      return {
        name,
        version,
        marker,
        hashes: [...line.matchAll(/--hash=sha256:([0-9a-f]{64})/g)].map(([, hash]) => hash),
      };
    });
}

const pythonComponent = ({ name, version, marker, hashes }) => ({
  "bom-ref": `pkg:pypi/${name}@${version}`,
  type: "library",
  name,
  version,
  purl: `pkg:pypi/${name.toLowerCase().replaceAll("_", "-")}@${version}`,
  properties: [
    ...(marker ? [{ name: "lutnn:python:marker", value: marker }] : []),
    ...hashes.map((value) => ({ name: "lutnn:python:sha256", value })),
  ],
});

/**
 * Of npm's bill what is not for development alone. npm's own --omit dev also leaves out what one package needs at run time
 * and another for its development.
 */
function withoutDevelopment(bom) {
  const isForDevelopment = ({ properties }) =>
    properties.some(({ name, value }) => name === "cdx:npm:package:development" && value === "true");
  bom.components = bom.components.filter((component) => !isForDevelopment(component));
  const kept = new Set([bom.metadata.component, ...bom.components].map((component) => component["bom-ref"]));
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
  return bom;
}

/** The bill of materials as an object. */
export function billOfMaterials() {
  const bom = withoutDevelopment(
    JSON.parse(npm(["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"])),
  );
  const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  bom.metadata.component.name = name; // npm takes the folder's
  bom.components.push(...requirements.flatMap(pinnedIn).map(pythonComponent));
  return bom;
}

/** Writes it. @param {string} path */
export function writeBillOfMaterials(path) {
  mkdirSync(dirname(path), { recursive: true });
  const bom = billOfMaterials();
  writeFileSync(path, `${JSON.stringify(bom, null, 1)}\n`);
  return bom.components.length;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = process.argv[2] ?? at("out/lutnn.cdx.json");
  console.log(`${path}: ${writeBillOfMaterials(path)} components`);
}
