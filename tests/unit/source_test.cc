#include "catch.h"
#include "pipeline/schedule.h"
#include "source/data_loss.h"
#include "source/range_planner.h"
#include "source/rate_limiter.h"

namespace kstream {
namespace {

using std::chrono::milliseconds;

const TopicPartition kA{"a", 0};
const TopicPartition kB{"a", 1};
const LogBoundsMap kLogs = {{kA, {10, 20}}, {kB, {0, 5}}};

OffsetMap resolved(const Place& place) {
  const auto* named = std::get_if<OffsetMap>(&place);
  return named ? resolve(*named, kLogs).value() : resolve(place, kLogs);
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
    const auto result = resolve(OffsetMap{{kA, bad}}, kLogs);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ExitCode::kData);
    CHECK_FALSE(result.error().is_transient);
    CHECK(result.error().text.find("10 to 20") != std::string::npos);
  }
  const auto result = resolve(OffsetMap{{{"a", 7}, 0}}, kLogs);
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

TEST_CASE("rate estimator: Spark's test vector") {
  RateEstimator estimator(milliseconds(1000));
  CHECK_FALSE(estimator.update(1000, 1000, 500, 0));  // 2000 a second; the first says nothing
  CHECK(estimator.update(2000, 1500, 1000, 200) == 1440.0);
}

TEST_CASE("rate estimator: batches that say nothing change nothing, and there is a least rate") {
  RateEstimator estimator(milliseconds(1000));
  CHECK_FALSE(estimator.update(1000, 1000, 500, 0));
  CHECK_FALSE(estimator.update(1000, 1000, 500, 0));  // no time has passed
  CHECK_FALSE(estimator.update(2000, 0, 500, 0));
  CHECK_FALSE(estimator.update(2000, 1000, 0, 0));
  CHECK(estimator.update(3000, 1, 1000, 0) == 100.0);
}

TEST_CASE("rate limiter: Spark's vectors for a first batch") {
  const OffsetMap next = {{kA, 0}};
  const OffsetMap ends = {{kA, 1'000'000}};
  const auto first = [&](std::optional<double> initial, double max, int interval_ms) {
    RateOptions options;
    options.interval = milliseconds(interval_ms);
    options.initial = initial;
    options.max_per_partition = max;
    return RateLimiter(options).limit(next, ends).at(kA);
  };
  CHECK(first(std::nullopt, 100, 100) == 10);
  CHECK(first(500, 1000, 500) == 250);
  CHECK(first(1000, 300, 500) == 150);
}

TEST_CASE("rate limiter: a rate is divided by lag, and no partition starves") {
  RateOptions options;
  options.interval = milliseconds(1000);
  options.initial = 1000;
  const RateLimiter limiter(options);
  CHECK(limiter.limit({{kA, 0}, {kB, 0}}, {{kA, 9000}, {kB, 3000}}) ==
        OffsetMap{{kA, 750}, {kB, 250}});
  CHECK(limiter.limit({{kA, 0}, {kB, 0}}, {{kA, 10'000'000}, {kB, 5}}) ==
        OffsetMap{{kA, 999}, {kB, 1}});
  CHECK(limiter.limit({{kA, 0}, {kB, 7}}, {{kA, 600}, {kB, 7}}) == OffsetMap{{kA, 600}, {kB, 7}});
  CHECK(limiter.limit({}, {}).empty());
}

TEST_CASE("rate limiter: a backlog makes batches of about an interval's work") {
  RateOptions options;
  options.interval = milliseconds(2000);
  options.initial = 100'000;
  RateLimiter limiter(options);
  // A machine that counts a million a second and needs 20 ms besides.
  OffsetMap next = {{kA, 0}};
  const OffsetMap ends = {{kA, 100'000'000}};
  std::int64_t now_ms = 0;
  Offset records = 0;
  for (int batch = 0; batch < 10; ++batch) {
    const Offset until = limiter.limit(next, ends).at(kA);
    records = until - next[kA];
    const std::int64_t took_ms = 20 + records / 1000;
    now_ms += std::max<std::int64_t>(took_ms, 2000);
    limiter.completed(now_ms, records, took_ms, 0);
    next[kA] = until;
  }
  CHECK(records > 1'500'000);
  CHECK(records < 2'100'000);
}

TEST_CASE("data loss: a position outside of its log, on either side") {
  CHECK(find_losses(OffsetMap{{kA, 10}, {kB, 5}}, kLogs).empty());
  CHECK(find_losses(OffsetMap{{kA, 20}, {kB, 0}}, kLogs).empty());
  const auto losses = find_losses(OffsetMap{{kA, 4}, {kB, 9}}, kLogs);
  REQUIRE(losses.size() == 2);
  CHECK(losses[0].records() == 6);
  CHECK(losses[1].records() == 0);
  CHECK(describe(losses[0]) == "a:0: offsets 4 to 9 are gone (the log has 10 to 20)");
  const Error error = data_loss(losses);
  CHECK(error.code == ExitCode::kData);
  CHECK(error.text.find("--on-data-loss skip") != std::string::npos);
  CHECK(error.text.find("1 more") != std::string::npos);
}

TEST_CASE("data loss: of a batch in hand only what it still has to read") {
  const auto plan = [](Offset from, Offset until) {
    return BatchPlan{1, 1, {{kA, from, until}, {kB, 0, 0}}};
  };
  CHECK(find_losses(plan(10, 20), kLogs).empty());
  CHECK(find_losses(plan(3, 3), kLogs).empty());
  CHECK(find_losses(plan(9, 20), kLogs).size() == 1);
  CHECK(find_losses(plan(10, 21), kLogs).size() == 1);
}

}  // namespace kstream
