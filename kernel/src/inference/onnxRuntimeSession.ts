import type * as ort from "onnxruntime-node";
import type { BackendOptions, Running } from "./backend";
import { onnxRuntime } from "./onnxRuntime";
import { type FileValue, fileValue } from "./tensorData";

/** A file in onnxruntime-node: replaced layers run as the functions of standard operators that the file brings. */
export async function onnxRuntimeSession(
  model: string | Uint8Array,
  name: string,
  { threads, optimize, profilePrefix }: BackendOptions,
): Promise<Running> {
  const { InferenceSession, Tensor } = onnxRuntime();
  const session = await InferenceSession.create(model as string, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4, // its errors come as errors; it prints nothing
    graphOptimizationLevel: optimize ? "all" : "disabled",
    ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
  });
  const described = (all: readonly ort.InferenceSession.ValueMetadata[]): FileValue[] =>
    all.map(({ name: value, ...rest }) =>
      fileValue(name, value, rest.isTensor ? rest.type : null, rest.isTensor ? rest.shape : []),
    );
  try {
    const [inputs, outputs] = [described(session.inputMetadata), described(session.outputMetadata)];
    return {
      inputs,
      outputs,
      run: async (given) => {
        const feeds = Object.fromEntries(
          inputs.map(({ name: input, type }, i) => {
            const { data, dims } = given[i];
            return [input, new Tensor(type as "float32", data as Float32Array, dims)];
          }),
        );
        const results = await session.run(feeds);
        return outputs.map(({ name: output }) => {
          const { data, dims } = results[output];
          return { data: data as Float32Array, dims };
        });
      },
      endProfiling: () => session.endProfiling(),
      release: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}
