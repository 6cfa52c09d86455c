#include <vector>

#include "app/adopt_state.h"
#include "catch.h"

namespace kstream {
namespace {

const TopicPartition kFirst{"test", 0};
const TopicPartition kSecond{"test", 1};

ExitCode code_of(const std::vector<SinkPosition>& sinks) {
  const auto common = common_position(sinks, "words");
  return common.ok() ? ExitCode::kOk : common.error().code;
}

TEST_CASE("adopt: the outputs say the same, each for the partitions that it knows") {
  const std::vector<SinkPosition> sinks = {{"a", 7, {{kFirst, 10}}},
                                           {"b", 7, {{kFirst, 10}, {kSecond, 4}}}};
  const auto common = common_position(sinks, "words");
  REQUIRE(common.ok());
  CHECK(common.value().batch == 7);
  CHECK(common.value().next == OffsetMap{{kFirst, 10}, {kSecond, 4}});
}

TEST_CASE("adopt: outputs that hold different batches, or none, or not where it ended") {
  CHECK(code_of({{"a", 7, {{kFirst, 10}}}, {"b", 6, {{kFirst, 10}}}}) == ExitCode::kData);
  CHECK(code_of({{"a", 7, {{kFirst, 10}}}, {"b", 7, {{kFirst, 9}}}}) == ExitCode::kData);
  CHECK(code_of({{"a", 7, {}}}) == ExitCode::kData);
  CHECK(code_of({{"a", 0, {}}}) == ExitCode::kNoInput);
  CHECK(code_of({{"a", 7, {{kFirst, 10}}}, {"b", 0, {}}}) == ExitCode::kNoInput);
}

}  // namespace
}  // namespace kstream
