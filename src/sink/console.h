// Prints each batch to standard output, and nothing else ever.
//
// Contract: a batch has left the process when write() returns.
// Errors: 141 when the reader has gone, 74 when the output cannot be written.
#pragma once

#include "model/presentation.h"
#include "os/output.h"
#include "pipeline/sink.h"

namespace kstream {

class Console final : public Sink {
 public:
  Console(Output& output, const Presentation& presentation);

  bool wants_empty_batches() const override { return true; }
  // Who reads it may know; JSON has the id for that.
  Result<std::optional<BatchId>> last_batch() override { return std::optional<BatchId>(); }
  Status write(const BatchResult& result) override;

 private:
  Output& output_;
  const Presentation presentation_;
  bool is_header_written_ = false;
};

}  // namespace kstream
