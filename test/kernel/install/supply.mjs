// What comes from elsewhere: each function gives the faults that it finds, as sentences.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { billOfMaterials, pinnedIn } from "../../../kernel/install/sbom.mjs";

const root = resolve(import.meta.dirname, "../../..");
const text = (path) => readFileSync(join(root, path), "utf8");

/** Packages that may bring an install script; `.npmrc` lets none run but what the set-up asks for by name. */
const withScripts = [
  "@fortawesome/fontawesome-free", // says thank you
  "@tensorflow/tfjs-node", // the one that the set-up runs, where TensorFlow's own download is reached
  "core-js", // says thank you
  "es5-ext", // says something else
  "onnxruntime-node", // would fetch CUDA's libraries
  "protobufjs", // compares a version
  "zeromq", // would build what it brings built
];

/** Licences of packages that say none where npm looks: read in their own files. */
const readLicences = {
  "compute-gcd": "MIT",
  "compute-lcm": "MIT",
  khroma: "MIT",
  "stack-trace": "MIT",
  "validate.io-function": "MIT",
  "validate.io-integer": "MIT",
  "validate.io-integer-array": "MIT",
  "validate.io-number": "MIT",
  xtend: "MIT",
};
const allowed = [
  ...[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BlueOak-1.0.0",
    "CC0-1.0",
    "CC-BY-4.0",
    "ISC",
    "MIT",
    "OFL-1.1",
  ],
  ...["PSF-2.0", "Python-2.0", "Unlicense", "Zlib"],
  "MPL-2.0", // zeromq's library and a few of Python's; by file
];
/**
 * Only as libraries of their own that can be exchanged: libvips beside sharp; and what JupyterLab's packages bring for its own
 * page (elkjs lays out diagrams), of which our extension's bundle holds nothing.
 */
const asLibraries = { "LGPL-3.0-or-later": /^@img\/sharp-/, "EPL-2.0": /^elkjs$/ };

const nameOf = (path) => path.replace(/^.*node_modules\//, "");

/** Packages of npm's lock file. */
export function lockedPackages() {
  const { packages } = JSON.parse(text("package-lock.json"));
  return Object.entries(packages)
    .filter(([path, { link }]) => path.includes("node_modules/") && !link)
    .map(([path, entry]) => ({ name: nameOf(path), ...entry }));
}

/** Every package of npm's is known by its content. */
export function lockFaults(packages = lockedPackages()) {
  return packages
    .filter(({ integrity }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ""))
    .map(({ name, version }) => `${name}@${version} has no SHA-512 in package-lock.json`);
}

/** Every package of Python's is pinned and known by its content, and pip is told to look. */
export function requirementFaults() {
  const folder = "kernel/install";
  const files = readdirSync(join(root, folder)).filter((name) =>
    /^(requirements|tensorflow).*\.txt$/.test(name),
  );
  const unpinned = files.flatMap((file) =>
    pinnedIn(join(folder, file))
      .filter(({ version, hashes }) => version === "" || hashes.length === 0)
      .map(({ name }) => `${name} of ${file} has no version and hash`),
  );
  // Each call of pip that installs or downloads, over its lines.
  const scripts = readdirSync(join(root, folder)).filter((name) => name.endsWith(".mjs"));
  const unchecked = scripts.flatMap((file) =>
    [...text(join(folder, file)).matchAll(/"(?:install|download)",[^;]*?;/g)]
      .map(([call]) => call)
      .filter((call) => !call.includes('"--require-hashes"'))
      .map((call) => `${file} lets pip take ${call.replaceAll(/\s+/g, " ")} without hashes`),
  );
  return [...unpinned, ...unchecked];
}

/** Nobody's script runs at an installation but the listed one. */
export function scriptFaults(packages = lockedPackages()) {
  const npmrc = /^ignore-scripts=true$/m.test(text(".npmrc")) ? [] : [".npmrc must say ignore-scripts=true"];
  return [
    ...npmrc,
    ...packages
      .filter(({ name, hasInstallScript }) => hasInstallScript && !withScripts.includes(name))
      .map(({ name }) => `${name} has an install script and is not listed`),
  ];
}

/** Whether an expression of SPDX can be met with licences that are allowed. */
export function isAllowed(expression, name) {
  const alternatives = expression.replaceAll(/[()]/g, "").split(/ OR /);
  return alternatives.some((all) =>
    all.split(/ AND /).every((licence) => allowed.includes(licence) || asLibraries[licence]?.test(name)),
  );
}

/** What a user's set-up brings is free to use, and nothing asks its users to publish their own. */
export function licenceFaults(packages = lockedPackages()) {
  return packages
    .filter(({ dev }) => !dev)
    .map(({ name, license }) => ({ name, license: license ?? readLicences[name] ?? "none" }))
    .filter(({ name, license }) => !isAllowed(license, name))
    .map(
      ({ name, license }) => `${name} has the licence ${license}, which is not among those that are taken`,
    );
}

/** Licences of the Python packages, as [name, what it says of itself]; the environment must be set up. */
export function pythonLicenceFaults(stated) {
  const pinned = new Set(
    pinnedIn("kernel/install/requirements.txt").map(({ name }) =>
      name.toLowerCase().replaceAll(/[-_.]+/g, "-"),
    ),
  );
  return stated
    .filter(([name]) => pinned.has(name.toLowerCase().replaceAll(/[-_.]+/g, "-")))
    .filter(([, licence]) => licence === "" || /\bA?GPL|Affero|(?<!Lesser )General Public/.test(licence))
    .map(([name, licence]) => `${name} of Python has the licence "${licence}"`);
}

/** The bill of materials has every package that a user gets, with its version, and none that is for development alone. */
export function billFaults() {
  const { bomFormat, specVersion, components } = billOfMaterials();
  const head =
    bomFormat === "CycloneDX" && Number(specVersion) >= 1.5 ? [] : [`it is ${bomFormat} ${specVersion}`];
  const have = new Set(components.map(({ purl }) => purl));
  const purl = ({ name, version }) => `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const locked = lockedPackages();
  const isOfUser = ({ dev, optional, peer, devOptional }) => !dev && !optional && !peer && !devOptional;
  const wanted = locked.filter(isOfUser).map(purl);
  const needless = new Set(locked.map(purl));
  for (const entry of locked) if (!entry.dev) needless.delete(purl(entry));
  return [
    ...head,
    ...wanted.filter((url) => !have.has(url)).map((url) => `the bill of materials lacks ${url}`),
    ...[...needless].filter((url) => have.has(url)).map((url) => `the bill of materials has ${url}`),
    ...components
      .filter(({ version }) => !version)
      .map(({ name }) => `${name} has no version in the bill of materials`),
  ];
}
