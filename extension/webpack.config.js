// What JupyterLab's builder does not know by itself: our style sheets are files of their own (see src/styleSheet.ts).
const { join } = require("node:path");

const style = join(__dirname, "style");
const loader = join(style, "asFile.cjs");
module.exports = {
  module: { rules: [{ test: /\.css$/, include: style, enforce: "post", loader, type: "asset/resource" }] },
};
