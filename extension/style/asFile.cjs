// A loader that hands a style sheet on as it is. Of all loaders of a file the last pitches first, and what it returns keeps the
// others out: JupyterLab's builder would make a script of it.
const { readFileSync } = require("node:fs");

module.exports = (content) => content;
module.exports.pitch = function () {
  return readFileSync(this.resourcePath);
};
