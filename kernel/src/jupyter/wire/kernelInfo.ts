import { createRequire } from "node:module";
import { join } from "node:path";
import { protocolVersion } from "../link";

const versionIn = (path: string): string => require(path).version;

/**
 * The kernel_info_reply. The wire thread answers it by itself, so that a client is served while the main thread is
 * still loading the compiler; versions are therefore read from package.json files.
 */
export function kernelInfo(): Record<string, unknown> {
  const ownVersion = versionIn(join(__dirname, "../../../package.json"));
  const tslabPackage = require.resolve("tslab/package.json");
  const typescript: string = createRequire(tslabPackage)("@tslab/typescript-for-tslab/package.json").version;
  return {
    status: "ok",
    protocol_version: protocolVersion,
    implementation: "lutnn",
    implementation_version: ownVersion,
    language_info: {
      name: "typescript",
      version: typescript,
      mimetype: "application/typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      codemirror_mode: "typescript",
      nbconvert_exporter: "script",
    },
    banner: `TypeScript ${typescript} on Node.js ${process.version}, LUT-NN ${ownVersion}`,
    help_links: [
      { text: "TypeScript handbook", url: "https://www.typescriptlang.org/docs/handbook/" },
      { text: "TensorFlow.js API", url: "https://js.tensorflow.org/api/latest/" },
      { text: "Node.js API", url: "https://nodejs.org/api/" },
    ],
    debugger: false,
    supported_features: [],
  };
}
