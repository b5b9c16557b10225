import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: join(import.meta.dirname, ".."),
  test: {
    include: ["test/**/*.test.ts"],
    // TensorFlow, addons and kernels belong to a process: one process a file, two files at a time.
    pool: "forks",
    maxWorkers: 2,
    env: { TF_CPP_MIN_LOG_LEVEL: "1", ORT_DISABLE_TELEMETRY: "1" },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
