#include "catch.h"
#include "pipeline/schedule.h"
#include "source/range_planner.h"

namespace kstream {
namespace {

using std::chrono::milliseconds;

const TopicPartition kA{"a", 0};
const TopicPartition kB{"a", 1};
const LogBoundsMap kLogs = {{kA, {10, 20}}, {kB, {0, 5}}};

OffsetMap resolved(const Place& place) {
  return resolve(place, kLogs, Latest{}).value();
}

}  // namespace

TEST_CASE("range planner: each partition from its position to its end, empty ranges included") {
  const OffsetMap next = {{kA, 12}, {kB, 5}};
  CHECK(plan_ranges(next, {{kA, 20}, {kB, 5}}) ==
        std::vector<OffsetRange>{{kA, 12, 20}, {kB, 5, 5}});
  CHECK(plan_ranges({}, {{kA, 20}}).empty());
}

TEST_CASE("range planner: an end before the position, or none, is nothing to read") {
  CHECK(plan_ranges({{kA, 12}}, {{kA, 3}}) == std::vector<OffsetRange>{{kA, 12, 12}});
  CHECK(plan_ranges({{kA, 12}}, {}) == std::vector<OffsetRange>{{kA, 12, 12}});
}

TEST_CASE("range planner: places become offsets inside of the log") {
  CHECK(resolved(Earliest{}) == OffsetMap{{kA, 10}, {kB, 0}});
  CHECK(resolved(Latest{}) == OffsetMap{{kA, 20}, {kB, 5}});
  CHECK(resolved(LastRecords{3}) == OffsetMap{{kA, 17}, {kB, 2}});
  CHECK(resolved(LastRecords{7}) == OffsetMap{{kA, 13}, {kB, 0}});
  CHECK(resolved(LastRecords{INT64_MAX}) == OffsetMap{{kA, 10}, {kB, 0}});
}

TEST_CASE("range planner: named offsets are taken, other partitions do otherwise") {
  CHECK(resolved(OffsetMap{{kA, 11}}) == OffsetMap{{kA, 11}, {kB, 5}});
  CHECK(resolved(OffsetMap{{kA, 10}, {kB, 5}}) == OffsetMap{{kA, 10}, {kB, 5}});
}

TEST_CASE("range planner: an offset outside of the log is refused with both numbers") {
  for (const Offset bad : {9, 21}) {
    const auto result = resolve(OffsetMap{{kA, bad}}, kLogs, Latest{});
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ExitCode::kData);
    CHECK_FALSE(result.error().is_transient);
    CHECK(result.error().text.find("10 to 20") != std::string::npos);
  }
  const auto result = resolve(OffsetMap{{{"a", 7}, 0}}, kLogs, Latest{});
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ExitCode::kUsage);
}

TEST_CASE("schedule: batch times are multiples of the interval after now") {
  CHECK(next_boundary(1514260201999, 0, milliseconds(2000)) == 1514260202000);
  CHECK(next_boundary(1514260202000, 0, milliseconds(2000)) == 1514260204000);
  CHECK(next_boundary(1514260202001, 0, milliseconds(2000)) == 1514260204000);
}

TEST_CASE("schedule: boundaries that a long batch passed are not caught up") {
  CHECK(next_boundary(1514260209500, 1514260202000, milliseconds(2000)) == 1514260210000);
}

TEST_CASE("schedule: times strictly increase, also when the clock is set back") {
  CHECK(next_boundary(1514260100000, 1514260202000, milliseconds(2000)) == 1514260204000);
  CHECK(next_moment(1000, 0) == 1000);
  CHECK(next_moment(1000, 1000) == 1001);
  CHECK(next_moment(500, 1000) == 1001);
}

}  // namespace kstream
