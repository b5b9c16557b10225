// npm run check:supply -- [--offline]: lock files know every package by its content, no install script but the listed ones,
// licences of what a user gets, known holes (npm audit, where the registry answers), and a bill of materials
// (out/lutnn.cdx.json).
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeBillOfMaterials } from "../../../kernel/install/sbom.mjs";
import { at, venvBin } from "../../../kernel/install/workspace.mjs";
import {
  billFaults,
  licenceFaults,
  lockedPackages,
  lockFaults,
  pythonLicenceFaults,
  requirementFaults,
  scriptFaults,
} from "./supply.mjs";

const isOffline = process.argv.includes("--offline");

function tell(what, faults) {
  console.log(`${faults.length === 0 ? "holds" : "FAILS"}  ${what}`);
  for (const fault of faults) console.log(`       ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}

const licencesOfPython = `
import importlib.metadata, json
def licence(of):
    if of.get("License-Expression"): return of["License-Expression"]
    said = [line for line in of.get_all("Classifier", []) if line.startswith("License")]
    return "; ".join(said) or (of.get("License") or "")[:200]
print(json.dumps([(d.metadata["Name"], licence(d.metadata)) for d in importlib.metadata.distributions()]))`;

/** Holes in what a user gets, high and critical ones; null where the registry does not tell. */
function audit() {
  const { stdout } = spawnSync("npm", ["audit", "--omit=dev", "--json", "--audit-level=high"], {
    cwd: at(""),
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  try {
    const { vulnerabilities } = JSON.parse(stdout);
    return Object.values(vulnerabilities)
      .filter(({ severity }) => severity === "high" || severity === "critical")
      .map(({ name, severity }) => `${name}: ${severity}`);
  } catch {
    return null;
  }
}

const packages = lockedPackages();
tell(`each of ${packages.length} npm packages has its SHA-512 in the lock file`, lockFaults(packages));
tell("each Python package is pinned with its SHA-256, and pip is told to look", requirementFaults());
tell("no install script but the listed ones", scriptFaults(packages));
tell("licences of npm packages that a user gets", licenceFaults(packages));
if (existsSync(venvBin("python")))
  tell(
    "licences of Python packages that a user gets",
    pythonLicenceFaults(
      JSON.parse(execFileSync(venvBin("python"), ["-c", licencesOfPython], { encoding: "utf8" })),
    ),
  );
tell("the bill of materials names every package that a user gets", billFaults());
if (!isOffline) {
  const path = at("out/lutnn.cdx.json");
  console.log(`       ${writeBillOfMaterials(path)} components in ${path}`);
  const holes = audit();
  if (holes) tell("npm audit knows no high or critical hole", holes);
  else console.log("SKIPPED npm audit: the registry does not tell");
}
