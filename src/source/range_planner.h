// Log ends to the next batch's ranges. Pure: same input, same plan.
#pragma once

#include <vector>

#include "base/result.h"
#include "model/offset.h"

namespace kstream {

// For each partition of `next` the range from there to its end in `ends`. A partition without new
// records, or without an end, gets an empty range, so that output lists it.
std::vector<OffsetRange> plan_ranges(const OffsetMap& next, const OffsetMap& ends);

// A place that somebody named, as an offset of each partition of the logs. An OffsetMap's
// partitions take their offsets, all others `otherwise`. Errors: 65 for an offset outside of the
// log, with the log's bounds; 64 for a partition that is not there.
Result<OffsetMap> resolve(const Place& place, const LogBoundsMap& logs, const Place& otherwise);

}  // namespace kstream
