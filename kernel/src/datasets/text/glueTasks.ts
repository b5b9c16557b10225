/** A task of GLUE as its files have it. */
export interface GlueTask {
  /** As its authors write it, also the folder in the archive. */
  title: string;
  archive: { name: string; bytes: number; sha256: string };
  /** Bytes that the archive unpacks to at most. */
  unpacked: number;
  /** Names of the columns with texts, and of the one with the answer. */
  texts: readonly string[];
  label: string;
  /** By class. */
  labels: readonly string[];
  /** What the classes are called, where the file has numbers. */
  names: readonly string[];
  /** The published file has a few rows that end early; they are left out. */
  hasShortRows?: true;
}

const entailment = ["entailment", "not_entailment"] as const;

export const glueTasks = {
  "sst-2": {
    title: "SST-2",
    archive: {
      name: "SST-2.zip",
      bytes: 7_439_277,
      sha256: "d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa",
    },
    unpacked: 2 ** 26,
    texts: ["sentence"],
    label: "label",
    labels: ["0", "1"],
    names: ["negative", "positive"],
  },
  qqp: {
    title: "QQP",
    archive: {
      name: "QQP-clean.zip",
      bytes: 41_696_084,
      sha256: "40e7c862c04eb26ee04b67fd900e76c45c6ba8e6d8fab4f8f1f8072a1a3fbae0",
    },
    unpacked: 2 ** 28,
    texts: ["question1", "question2"],
    label: "is_duplicate",
    labels: ["0", "1"],
    names: ["different", "duplicate"],
    hasShortRows: true,
  },
  qnli: {
    title: "QNLI",
    archive: {
      name: "QNLIv2.zip",
      bytes: 10_627_589,
      sha256: "e634e78627a29adaecd4f955359b22bf5e70f2cbd93b493f2d624138a0c0e5f5",
    },
    unpacked: 2 ** 27,
    texts: ["question", "sentence"],
    label: "label",
    labels: entailment,
    names: entailment,
  },
  rte: {
    title: "RTE",
    archive: {
      name: "RTE.zip",
      bytes: 697_150,
      sha256: "6bf86de103ecd335f3441bd43574d23fef87ecc695977a63b82d5efb206556ee",
    },
    unpacked: 2 ** 25,
    texts: ["sentence1", "sentence2"],
    label: "label",
    labels: entailment,
    names: entailment,
  },
} as const satisfies Record<string, GlueTask>;

export type GlueTaskName = keyof typeof glueTasks;
