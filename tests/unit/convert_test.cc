// A receiver's state made a direct stream's, and the other way round.
#include "app/convert_state.h"
#include "checkpoint/state_files.h"
#include "wal_fixture.h"

namespace kstream {
namespace {

using wal::has;
using wal::kLogDirectory;
using wal::kStream;
using wal::WriteAheadLog;

const TopicPartition kA{"test", 0};
const TopicPartition kB{"test", 1};
const TopicPartition kC{"test", 2};  // that the stream has never had
constexpr wal::Options kSmall{512 * 1024, 64 * 1024, 7};

// A state directory on a disk that may stop anybody who changes it.
struct World {
  explicit World(std::uint64_t seed = 1) : fate(seed, 0) { disk.boot(fate); }

  // A receiver: batch 1 is processed, 2 in hand, more is received.
  void receive() {
    save(Identity{kStream, "cluster", {"test"}, "receiver", "g", "committed", "utf8", "space", ""});
    auto log = WriteAheadLog::create(disk, clock, kLogDirectory, kStream, kSmall).value();
    append(*log, {kA, 0, 10});
    append(*log, {kB, 5, 5});
    plan(*log, {1, 100, {{kA, 0, 10}, {kB, 5, 5}}});
    append(*log, {kA, 10, 20});
    append(*log, {kA, 20, 25});
    append(*log, {kB, 5, 7});
    REQUIRE(log->append_batch(1, nullptr).ok());
    plan(*log, {2, 200, {{kA, 10, 25}, {kB, 5, 7}}});
    append(*log, {kA, 25, 30});
  }
  void append(WriteAheadLog& log, const OffsetRange& covers) {
    RecordBlock block(4096);
    std::vector<Offset> offsets;
    for (Offset offset = covers.from; offset < covers.until; ++offset) {
      offsets.push_back(offset);
    }
    wal::fill(block, covers.partition, offsets);
    const wal::BlockToLog one{&block, covers};
    REQUIRE(log.append({&one, 1}).ok());
  }
  void plan(WriteAheadLog& log, const BatchPlan& plan) {
    REQUIRE(log.append_batch(std::nullopt, &plan).ok());
  }
  std::unique_ptr<WriteAheadLog> open() {
    return WriteAheadLog::open(disk, clock, kLogDirectory, kStream, kSmall).value();
  }

  void save(const Identity& identity) { REQUIRE(save_identity(disk, "state", identity).ok()); }
  Identity identity() { return read_identity(disk, "state").value().value(); }
  Checkpoint checkpoint() { return read_state(disk, "state").value().value().checkpoint; }
  wal::Recovered log() { return wal::recover(disk, kLogDirectory, std::nullopt).value(); }
  Status convert(const OffsetMap& group = {{kA, 30}, {kB, 7}, {kC, 3}}) {
    return convert_state(disk, clock, "state", identity(), {"g", group});
  }
  // The batch in hand and all behind it, counted in direct mode.
  void finish(const OffsetMap& next) {
    Checkpoint now = checkpoint();
    now.committed = {now.committed.batch + 2, 300, next};
    now.intent.reset();
    REQUIRE(save_checkpoint(disk, "state", now).ok());
  }

  Fate fate;
  SimulatedDisk disk;
  wal::StoppedClock clock;
};

const Checkpoint kConverted{kStream,
                            1,
                            {1, 199, {{kA, 10}, {kB, 5}, {kC, 3}}},
                            BatchPlan{2, 200, {{kA, 10, 25}, {kB, 5, 7}, {kC, 3, 3}}}};
const OffsetMap kEnds{{kA, 40}, {kB, 7}, {kC, 3}};

std::string why_not(World& world, const OffsetMap& group) {
  const std::string before = encode(world.identity());
  const Status converted = world.convert(group);
  REQUIRE_FALSE(converted.ok());
  CHECK(converted.error().code == ExitCode::kData);
  CHECK(has(converted.error().text, "Nothing was changed. Run it once more with --mode"));
  CHECK(encode(world.identity()) == before);
  return converted.error().text;
}

void check_direct(World& world) {
  CHECK(world.identity().source == "direct");
  CHECK(world.identity().group.empty());
  CHECK(world.identity().stream == kStream);
  CHECK(world.checkpoint() == kConverted);
}

void check_receiver(World& world) {
  CHECK(world.identity().source == "receiver");
  CHECK(world.identity().group == "g");
  const wal::LogState state = world.log().state;
  CHECK(state.ends == kEnds);
  CHECK(state.acknowledged == kEnds);
  CHECK(state.last_batch == 3);
  CHECK(state.last_time_ms == 300);
  CHECK_FALSE(state.in_hand);
  CHECK(state.unplanned == 0);
}

}  // namespace

TEST_CASE("convert: a receiver's batch in hand becomes the intent, what follows is read again") {
  World world;
  world.receive();
  REQUIRE(world.convert().ok());
  check_direct(world);
  CHECK(world.disk.names(kLogDirectory).value().empty());
}

TEST_CASE("convert: a receiver without a batch in hand goes on with the first unprocessed record") {
  World world;
  world.receive();
  REQUIRE(world.open()->append_batch(2, nullptr).ok());
  REQUIRE(world.convert().ok());
  CHECK(world.checkpoint() ==
        Checkpoint{kStream, 1, {2, 200, {{kA, 25}, {kB, 7}, {kC, 3}}}, std::nullopt});
}

TEST_CASE("convert: a direct stream becomes a receiver that goes on with ids, times and offsets") {
  World world;
  world.receive();
  REQUIRE(world.convert().ok());
  world.finish(kEnds);
  REQUIRE(world.convert().ok());
  check_receiver(world);
  CHECK_FALSE(world.disk.has("state/checkpoint"));

  const auto log = world.open();
  CHECK(log->ends() == kEnds);
  CHECK(log->acknowledged() == kEnds);
  world.append(*log, {kA, 40, 42});
  world.plan(*log, {4, 400, {{kA, 40, 42}}});
  REQUIRE(world.convert({}).ok());
  CHECK(world.checkpoint().committed.batch == 3);
  CHECK(world.checkpoint().intent->ranges ==
        std::vector<OffsetRange>{{kA, 40, 42}, {kB, 7, 7}, {kC, 3, 3}});
}

TEST_CASE("convert: stopped at any step it leaves the old state or the new one, and goes on") {
  int stops = 0;
  for (const bool is_to_direct : {true, false}) {
    for (int crash_at = 1, is_done = 0; is_done == 0; ++crash_at) {
      for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("to direct " << is_to_direct << ", stopped at " << crash_at << ", seed " << seed);
        World world(seed);
        world.receive();
        if (!is_to_direct) {
          REQUIRE(world.convert().ok());
          world.finish(kEnds);
        }
        const Identity old = world.identity();
        const Checkpoint checkpoint = is_to_direct ? Checkpoint() : world.checkpoint();
        const std::vector<wal::LoggedBlock> blocks =
            is_to_direct ? world.log().unplanned : std::vector<wal::LoggedBlock>();
        world.fate.points = 0;
        world.fate.crash_at = crash_at;
        try {
          is_done = world.convert().ok() ? 1 : 2;
        } catch (const Crash&) {
          ++stops;
        }
        REQUIRE(is_done < 2);
        world.fate.crash_at = 0;
        world.disk.crash();
        if (world.identity() == old) {
          if (is_to_direct) {
            CHECK(world.log().unplanned == blocks);
            CHECK(world.log().state.in_hand.has_value());
          } else {
            CHECK(world.checkpoint() == checkpoint);
          }
          REQUIRE(world.convert().ok());
        }
        is_to_direct ? check_direct(world) : check_receiver(world);
        // Back again, over whatever was left.
        if (is_to_direct) {
          world.finish(kEnds);
          REQUIRE(world.convert().ok());
          check_receiver(world);
          CHECK(world.open()->last_batch() == 3);
        } else {
          REQUIRE(world.convert().ok());
          CHECK(world.checkpoint().committed == Committed{3, 300, kEnds});
          CHECK(world.disk.names(kLogDirectory).value().empty());
        }
      }
    }
  }
  CHECK(stops > 1000);
}

TEST_CASE("convert: a receiver that shared its partitions is refused") {
  World world;
  world.receive();
  CHECK(has(why_not(world, {{kA, 31}}), "test:0: group 'g' is at 31, the log ends at 30"));
  world.append(*world.open(), {kA, 50, 50});
  CHECK(has(why_not(world, {{kA, 50}}), "test:0: offsets 30 to 49, between"));
}

TEST_CASE("convert: a batch in hand without records is refused") {
  World world;
  world.receive();
  const auto log = world.open();
  REQUIRE(log->append_batch(2, nullptr).ok());
  const BatchPlan rest{3, 300, {{kA, 25, 30}}};
  REQUIRE(log->append_batch(std::nullopt, &rest).ok());
  world.append(*log, {kC, 3, 3});
  const BatchPlan mark{4, 400, {{kC, 3, 3}}};
  REQUIRE(log->append_batch(3, &mark).ok());
  CHECK(has(why_not(world, {}), "batch 4 is in hand and has no records"));
}

TEST_CASE("convert: a direct stream with a batch in hand, or behind the group, is refused") {
  World world;
  world.receive();
  REQUIRE(world.convert().ok());
  CHECK(has(why_not(world, {}), "batch 2 is in hand"));
  world.finish(kEnds);
  CHECK(has(why_not(world, {{kA, 41}}), "test:0: group 'g' is at 41, the stream at 40"));
  CHECK(has(why_not(world, {{{"test", 9}, 1}}), "test:9: group 'g' is at 1, the stream at 0"));
  REQUIRE(world.convert(kEnds).ok());
}

}  // namespace kstream
