#include "core/row_encoder.h"

#include <algorithm>

#include "core/encode_integer.h"

namespace lutnn {

/// Rows that a task encodes.
constexpr size_t kTaskRows = 32;

RowEncoder::RowEncoder(const Microkernels& kernels, const Lookup& lookup, Encoding encoding)
    : numCodebooks_(lookup.numCodebooks),
      inputs_(lookup.numCodebooks * lookup.subvectorLength),
      encoder_(encoding, kernels, lookup) {}

void RowEncoder::run(LayerInput x, size_t rows, uint8_t* codes, Workspace& workspace, Executor& executor) const {
  workspace.prepare(executor.slots());
  executor.forEach(roundUp(rows, kTaskRows) / kTaskRows, [&](size_t task, size_t slot) {
    const size_t n = task * kTaskRows, some = std::min(kTaskRows, rows - n);
    const LayerInput part = x.from(n * inputs_);
    uint8_t* to = codes + n * numCodebooks_;
    Workspace::Scratch& scratch = workspace.scratch[slot];
    if (part.areBytes) encoder_->asInteger()->encodeByteRows(part.bytes, some, to, scratch);
    else encoder_->encodeRows(part.x, some, to, scratch);
  });
}

void RowEncoder::runExactly(const float* x, size_t rows, uint8_t* codes, Workspace& workspace) const {
  workspace.prepare(1);
  encoder_.exact().encodeRows(x, rows, codes, workspace.scratch[0]);
}

}  // namespace lutnn
