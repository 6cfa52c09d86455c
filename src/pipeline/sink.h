// Where batches go.
//
// Contract: write() returns when the batch is as safe there as the sink promises. A sink that keeps
//   the batch's id together with its counts, all or nothing, gets each batch once, whatever
//   crashes: one that it already holds is not written again.
// Errors: transient ones (no room, a server that is away) mean that the same call may succeed
// later;
//   write() has then left nothing of the batch, or finds by itself that it is there. 75: another
//   process writes this stream.
// Thread: the batch thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/batch.h"
#include "model/offset.h"

namespace kstream {

// The last batch of the stream that a sink holds.
struct HeldBatch {
  BatchId id = 0;
  std::optional<std::uint64_t> fingerprint;  // of its plan, if the sink keeps that
};

// Tells a batch that is planned again after a crash from another one with the same id: a hash of
// time and ranges.
std::uint64_t fingerprint(const BatchPlan& plan);

class Sink {
 public:
  virtual ~Sink() = default;

  // As it is called in messages; without passwords.
  virtual std::string name() const = 0;

  // Whether batches without an id (no records in any range) are wanted, too.
  virtual bool wants_empty_batches() const = 0;

  // Nothing if it holds none, or cannot know. Asked once, at the start.
  virtual Result<std::optional<HeldBatch>> last_batch() = 0;

  // Where the stream's partitions stand after that batch; none if the sink does not keep it. Asked
  // after last_batch().
  virtual Result<OffsetMap> next_offsets() { return OffsetMap(); }

  virtual Status write(const BatchResult& result) = 0;
};

// 75: while this process had the stream's batch `next` in hand another one has written to the sink.
Error overtaken(const Sink& sink, const std::string& stream, BatchId held, BatchId next);

}  // namespace kstream
