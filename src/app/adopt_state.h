// Makes a direct stream's state anew of what its outputs hold, when the directory was lost: the
// next batch, from where the last one ended.
//
// Contract: a directory that has a state stays as it is. The outputs are not changed; a topic's
//   writer is fenced, so that the stream must not be running.
// Errors: 66 an output holds nothing of the stream, 65 two hold different batches, or one does not
//   know where its last batch ended, 78 the directory has a state, or the outputs have partitions
//   that --topic does not name.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "model/batch.h"
#include "model/offset.h"

namespace kstream {

// What an output holds of a stream.
struct SinkPosition {
  std::string sink;   // as it is called in messages
  BatchId batch = 0;  // the last one; 0: none
  OffsetMap next;
};

// Where the stream goes on: what all of them say. Pure. Errors: 65 and 66, see above.
Result<SinkPosition> common_position(std::span<const SinkPosition> sinks,
                                     const std::string& stream);

}  // namespace kstream
