// Prints each batch to standard output, and nothing else ever.
//
// Contract: a batch has left the process when write() returns.
// Errors: 141 when the reader has gone, 74 when the output cannot be written,
//   or the disk has no room for words that do not fit into memory; nothing of the batch is written
//   then.
#pragma once

#include <cstddef>

#include "model/presentation.h"
#include "os/output.h"
#include "pipeline/sink.h"
#include "spill/scratch_space.h"

namespace kstream {

class Console final : public Sink {
 public:
  // To bring the words in order it takes so much memory, and beyond that the space.
  Console(Output& output, const Presentation& presentation, std::size_t memory_bytes,
          ScratchSpace& space);

  std::string name() const override { return "standard output"; }
  bool wants_empty_batches() const override { return true; }
  // Who reads it may know; JSON has the id for that.
  Result<std::optional<HeldBatch>> last_batch() override { return std::optional<HeldBatch>(); }
  Status write(const BatchResult& result) override;

 private:
  Output& output_;
  const Presentation presentation_;
  const std::size_t memory_bytes_;
  ScratchSpace& space_;
  bool is_header_written_ = false;
};

}  // namespace kstream
