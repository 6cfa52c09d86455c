// When batches happen. Pure.
//
// Batch times are multiples of the interval since 1970 and strictly increase. A batch that takes
// longer than its interval makes the boundaries that it passed disappear: none are caught up.
#pragma once

#include <chrono>
#include <cstdint>

#include "model/batch.h"

namespace kstream {

// The first boundary after `now_ms` and after `last`, the time of the batch before (0: none).
BatchTime next_boundary(std::int64_t now_ms, BatchTime last, std::chrono::milliseconds interval);

// For a run that does not wait for boundaries: now, but later than `last`.
BatchTime next_moment(std::int64_t now_ms, BatchTime last);

}  // namespace kstream
