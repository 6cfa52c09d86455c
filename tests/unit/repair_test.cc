// What is made of a damaged log: nothing that was processed comes again, nothing that was not is
// lost without being named.
#include <map>
#include <set>

#include "app/repair_state.h"
#include "wal/salvage.h"
#include "wal_fixture.h"

namespace kstream {
namespace {

using wal::has;
using wal::kLogDirectory;
using wal::kStream;
using wal::WriteAheadLog;

const TopicPartition kA{"test", 0};
const TopicPartition kB{"other", 1};
constexpr wal::Options kSmall{1024 * 1024, 64 * 1024, 7};
constexpr BatchId kInHand = 6;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 1;  // a sanitizer looks for other things
#else
constexpr std::uint64_t kSeeds = 5;
#endif

using Offsets = std::map<TopicPartition, std::set<Offset>>;

struct World {
  World() : fate(1, 0) { disk.boot(fate); }
  World(const World& other)
      : fate(1, 0), disk(other.disk), processed(other.processed), open(other.open) {
    disk.boot(fate);
  }

  Result<std::vector<std::string>> repair() {
    return repair_state(
        disk, clock, "state",
        {kStream, "c", {"test"}, "receiver", "g", "committed", "utf8", "space", ""});
  }
  bool is_corrupt() { return !wal::recover(disk, kLogDirectory, std::nullopt).ok(); }

  Fate fate;
  SimulatedDisk disk;
  wal::StoppedClock clock;
  Offsets processed;
  Offsets open;  // not processed
};

// Batches 1 to 5 are processed, 6 is in hand, and as much again is received; in several segments.
World received() {
  World world;
  auto log = WriteAheadLog::create(world.disk, world.clock, kLogDirectory, kStream, kSmall).value();
  OffsetMap ends{{kA, 100}, {kB, 0}};
  RecordBlock block;
  for (BatchId id = 1; id <= kInHand + 1; ++id) {
    std::vector<OffsetRange> ranges;
    OffsetMap from = ends;
    for (int round = 0; round < 3; ++round) {
      for (auto& [partition, end] : ends) {
        if (id == 1 && partition == kB) {
          continue;  // it comes later
        }
        wal::fill(block, partition, {end, end + 1, end + 3}, 900);
        const wal::BlockToLog one{&block, {partition, end, end + 4}};
        REQUIRE(log->append({&one, 1}).ok());
        auto& offsets = id < kInHand ? world.processed : world.open;
        offsets[partition].insert({end, end + 1, end + 3});
        end += 4;
      }
    }
    for (const auto& [partition, end] : ends) {
      ranges.push_back({partition, from[partition], end});
    }
    std::sort(ranges.begin(), ranges.end(),
              [](const auto& a, const auto& b) { return a.partition < b.partition; });
    log->acknowledge(ends);
    if (id <= kInHand) {
      const BatchPlan plan{id, 1000 * id, ranges};
      const auto done = id > 1 ? std::optional(id - 1) : std::nullopt;
      REQUIRE(log->append_batch(done, &plan).ok());
    }
  }
  return world;
}

bool is_in(const std::vector<OffsetRange>& ranges, const TopicPartition& partition, Offset offset) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const OffsetRange& range) {
    return range.partition == partition && range.from <= offset && offset < range.until;
  });
}

// Repairs it. What is wrong with the outcome; nothing when it is as it should be.
std::string wrong_after_repair(World& world) {
  const wal::Salvaged found = wal::salvage(world.disk, kLogDirectory).value();
  const auto repaired = world.repair();
  if (!repaired.ok()) {
    return found.has_state ? repaired.error().text : "";
  }
  auto log = WriteAheadLog::open(world.disk, world.clock, kLogDirectory, kStream, kSmall).value();
  if (log->last_batch() != kInHand && log->last_batch() != kInHand - 1) {
    return "batch " + std::to_string(log->last_batch());
  }
  const OffsetMap ends = log->ends();
  const wal::Unprocessed left = log->take_unprocessed();
  Offsets kept;
  RecordBlock block;
  for (const auto* blocks : {&left.planned, &left.unplanned}) {
    for (const wal::LoggedBlock& logged : *blocks) {
      if (!log->read(logged, block).ok()) {
        return "a block cannot be read";
      }
      for (const Offset offset : wal::offsets_in(block)) {
        if (!kept[logged.covers.partition].insert(offset).second) {
          return "twice: " + to_string(logged.covers);
        }
      }
    }
  }
  for (const auto& [partition, offsets] : kept) {
    for (const Offset offset : offsets) {
      if (!world.open[partition].contains(offset)) {
        return "again: " + to_string(partition) + " " + std::to_string(offset);
      }
    }
  }
  for (const auto& [partition, offsets] : world.open) {
    const auto end = ends.find(partition);
    for (const Offset offset : offsets) {
      if (!kept[partition].contains(offset) && !is_in(found.lost, partition, offset) &&
          end != ends.end() && offset < end->second && found.blocks_unknown == 0) {
        return "not named: " + to_string(partition) + " " + std::to_string(offset);
      }
    }
    if (end != ends.end() && !world.processed[partition].empty() &&
        end->second <= *world.processed[partition].rbegin()) {
      return "would be received again: " + to_string(partition);
    }
  }
  for (const auto* blocks : {&left.planned}) {
    for (const wal::LoggedBlock& logged : *blocks) {
      if (!left.plan || !is_in(left.plan->ranges, logged.covers.partition, logged.covers.from)) {
        return "the batch in hand does not name " + to_string(logged.covers);
      }
    }
  }
  return "";
}

}  // namespace

TEST_CASE("repair: a log that is good is left alone") {
  World world = received();
  const std::uint64_t bytes = world.disk.bytes();
  REQUIRE(world.repair().ok());
  CHECK(has(world.repair().value().front(), "nothing to repair"));
  CHECK(world.disk.bytes() == bytes);
}

TEST_CASE("repair: a flipped bit costs what it hit, and that is named") {
  const World good = received();
  int repairs = 0;
  int segments = 0;
  const auto names = World(good).disk.names(kLogDirectory).value();
  for (const std::string& name : names) {
    ++segments;
    const std::string path = std::string(kLogDirectory) + "/" + name;
    const std::string content = World(good).disk.content(path);
    std::size_t frame = 0;
    for (std::size_t at = 0; at < content.size(); ++at) {
      frame = content.compare(at, 4, "KFRM") == 0 ? at : frame;
      if (at % 1999 != 0 && (at > 104 || at % 9 != 0) && (at - frame > 48 || at % 13 != 0)) {
        continue;  // a sample: all headers, some of the records
      }
      World world = good;
      world.disk.content(path)[at] ^= static_cast<char>(1 << at % 8);
      if (!world.is_corrupt()) {
        continue;
      }
      const std::string wrong = wrong_after_repair(world);
      if (!wrong.empty()) {
        FAIL(path << " byte " << at << ": " << wrong);
      }
      ++repairs;
    }
  }
  CHECK(segments >= 3);
  CHECK(repairs > 150);
}

TEST_CASE("repair: without a segment, and with a stretch of zeros, all that is lost is named") {
  const World good = received();
  const auto names = World(good).disk.names(kLogDirectory).value();
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    World world = good;
    REQUIRE(world.disk.remove(std::string(kLogDirectory) + "/" + names[i]).ok());
    if (world.is_corrupt()) {
      CHECK(wrong_after_repair(world) == "");
    }
  }
  for (const std::string& name : names) {
    const std::string path = std::string(kLogDirectory) + "/" + name;
    const std::size_t bytes = World(good).disk.content(path).size();
    for (std::size_t at = 4096; at + 9000 < bytes; at += 9000) {
      World world = good;
      world.disk.content(path).replace(at, 9000, 9000, '\0');
      if (world.is_corrupt()) {
        INFO(path << " from " << at);
        CHECK(wrong_after_repair(world) == "");
      }
    }
  }
}

TEST_CASE("repair: the damaged log is kept, and what was lost is said with what to do") {
  World world = received();
  const std::string first = world.disk.names(kLogDirectory).value().front();
  const std::string last = world.disk.names(kLogDirectory).value().back();
  std::string& content = world.disk.content(std::string(kLogDirectory) + "/" + last);
  std::size_t record = content.size();
  for (int back = 0; back < 4; ++back) {
    record = content.rfind("KFRM", record - 1);
  }
  content[record + 100] ^= 1;
  const std::string before = content;
  REQUIRE(world.is_corrupt());
  const auto lines = world.repair();
  REQUIRE(lines.ok());
  std::string text;
  for (const std::string& line : lines.value()) {
    text += line + "\n";
  }
  INFO(text);
  CHECK(has(text, "damaged: " + last + ": bytes " + std::to_string(record)));
  CHECK(has(text, "are not in the log any more"));
  CHECK(world.disk.content("state/wal.broken-20171226T035000Z/" + last) == before);
  CHECK_FALSE(world.is_corrupt());
  CHECK(has(world.repair().value().front(), "nothing to repair"));
}

TEST_CASE("repair: stopped at any step it can be done again") {
  World good = received();
  const std::string path =
      std::string(kLogDirectory) + "/" + good.disk.names(kLogDirectory).value().front();
  good.disk.content(path)[9000] ^= 1;
  REQUIRE(good.is_corrupt());
  World undisturbed = good;
  const auto first = undisturbed.repair();
  INFO((first.ok() ? std::string() : first.error().text));
  REQUIRE(first.ok());
  const wal::LogState want =
      wal::recover(undisturbed.disk, kLogDirectory, std::nullopt).value().state;
  int is_done = 0;
  for (int crash_at = 1; is_done == 0; ++crash_at) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      INFO("stopped at " << crash_at << ", seed " << seed);
      World world = good;
      world.fate.random.seed(seed);
      world.fate.crash_at = crash_at;
      try {
        is_done = world.repair().ok() ? 1 : 2;
      } catch (const Crash&) {
      }
      REQUIRE(is_done < 2);
      world.fate.crash_at = 0;
      world.disk.crash();
      REQUIRE(world.repair().ok());
      const auto log = wal::recover(world.disk, kLogDirectory, std::nullopt);
      REQUIRE(log.ok());
      CHECK(wal::encode_state(log.value().state) == wal::encode_state(want));
    }
  }
}

}  // namespace kstream
