// Where a member starts, what a batch covers.
#include "catch.h"
#include "source/group_start.h"
#include "source/receiver_source.h"

namespace kstream {
namespace {

const TopicPartition kA{"a", 0};
const TopicPartition kB{"a", 1};
const std::string kOurs = "6f1c9d1e-4b0a-4e55-9c3b-0f5f6d1f2a3b";

StartDecision start_of(const std::optional<kafka::Committed>& committed,
                       const std::optional<HeldPosition>& held) {
  return decide_start(kA, committed, held, kOurs, true, 77).value();
}

std::vector<Received> blocks(const std::vector<OffsetRange>& covers) {
  std::vector<Received> received;
  for (const OffsetRange& range : covers) {
    received.push_back({range, nullptr, std::nullopt});
  }
  return received;
}

}  // namespace

TEST_CASE("group start: where nobody has been, as asked for") {
  CHECK(start_of(std::nullopt, std::nullopt).start == 77);
}

TEST_CASE("group start: the committed offset or the log's end, whichever is larger") {
  CHECK(start_of(kafka::Committed{10, "another"}, std::nullopt).start == 10);
  CHECK(start_of(kafka::Committed{10, kOurs}, HeldPosition{15, 10}).start == 15);
  CHECK(start_of(kafka::Committed{20, "another"}, HeldPosition{15, 15}).start == 20);
  CHECK(start_of(std::nullopt, HeldPosition{15, 10}).start == 15);
}

TEST_CASE("group start: what another may have counted, too, is reported") {
  const auto repeats = [](const std::string& writer, HeldPosition held) {
    return start_of(kafka::Committed{12, writer}, held).possible_repeats;
  };
  CHECK(repeats("another", {15, 10}) == OffsetRange{kA, 10, 15});
  CHECK(repeats("", {15, 10}) == OffsetRange{kA, 10, 15});
  CHECK(repeats("another", {15, std::nullopt}) == OffsetRange{kA, 0, 15});
  CHECK_FALSE(repeats(kOurs, {15, 10}));
  CHECK_FALSE(repeats("another", {12, 12}));
}

TEST_CASE("group start: an own commit beyond the log's end says that the log has lost something") {
  const auto lost = [](std::optional<HeldPosition> held, bool has_log) {
    return decide_start(kA, kafka::Committed{20, kOurs}, held, kOurs, has_log, 0);
  };
  REQUIRE_FALSE(lost(HeldPosition{15, 15}, true).ok());
  CHECK(lost(HeldPosition{15, 15}, true).error().code == ExitCode::kData);
  CHECK(lost(HeldPosition{15, 15}, true).error().text.find("committed offset 20") !=
        std::string::npos);
  CHECK_FALSE(lost(std::nullopt, true).ok());
  CHECK(lost(HeldPosition{20, 20}, true).ok());
  CHECK(lost(std::nullopt, false).value().start == 20);
}

TEST_CASE("receiver batch: ranges of what lies side by side, gaps kept apart, positions listed") {
  CHECK(ranges_of(blocks({{kB, 5, 7}, {kA, 1, 2}, {kA, 2, 4}, {kA, 9, 12}, {kB, 7, 7}}), {}) ==
        std::vector<OffsetRange>{{kA, 1, 4}, {kA, 9, 12}, {kB, 5, 7}});
  CHECK(ranges_of(blocks({{kB, 5, 7}}), {{kA, 4}, {kB, 7}}) ==
        std::vector<OffsetRange>{{kA, 4, 4}, {kB, 5, 7}});
  CHECK(ranges_of({}, {{kA, 4}}) == std::vector<OffsetRange>{{kA, 4, 4}});
}

}  // namespace kstream
