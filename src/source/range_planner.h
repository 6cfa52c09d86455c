// Log ends to the next batch's ranges. Pure: same input, same plan.
#pragma once

#include <vector>

#include "base/result.h"
#include "model/offset.h"

namespace kstream {

// For each partition of `next` the range from there to its end in `ends`. A partition without new
// records, or without an end, gets an empty range, so that output lists it.
std::vector<OffsetRange> plan_ranges(const OffsetMap& next, const OffsetMap& ends);

// A place that needs nothing but the logs: Earliest, Latest, LastRecords.
OffsetMap resolve(const Place& place, const LogBoundsMap& logs);

// Offsets that somebody named, and the ends of the logs for all other partitions. Errors: 65 for an
// offset outside of the log, with the log's bounds; 64 for a partition that is not there.
Result<OffsetMap> resolve(const OffsetMap& named, const LogBoundsMap& logs);

}  // namespace kstream
