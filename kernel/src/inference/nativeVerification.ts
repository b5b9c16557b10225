import { Table } from "../charts/table";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import type { FileCheck } from "./checkFile";
import type { LayerVerification } from "./verifyCall";

/** The comparison of every call of the replaced layers, and of the whole file; `ok` when nothing differs without reason. */
export class NativeVerification implements Displayable {
  constructor(
    readonly isa: string,
    /** One for each call of a replaced layer. */
    readonly rows: readonly LayerVerification[],
    /** The whole network's file in ONNX Runtime against the network in TensorFlow.js. */
    readonly file: FileCheck,
  ) {}

  get ok(): boolean {
    return (
      this.file.ok &&
      this.rows.every(
        (row) => row.codesDifferent === 0 && row.sumsDifferent === 0 && row.rowsUnexplained === 0,
      )
    );
  }

  toTable(): Table {
    return new Table(
      [
        "layer",
        "codes",
        "≠ reference",
        "integer sums",
        "≠ reference",
        "rows",
        "≠ ONNX Runtime",
        "of these no near tie",
      ],
      this.rows.map((row) => [
        row.layer,
        row.codes,
        row.codesDifferent,
        row.sums,
        row.sumsDifferent,
        row.rows,
        row.rowsDifferent,
        row.rowsUnexplained,
      ]),
      `native (${this.isa}) against the TypeScript reference, bit for bit, and against the functions in ONNX Runtime; ${this.file.sentence}`,
    );
  }

  [displaySymbol](): MimeBundle {
    return this.toTable()[displaySymbol]();
  }
}
