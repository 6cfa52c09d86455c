// The log under crashes: a receiver feeds it, cuts batches from it and trims it, and is stopped
// before and after any step on the disk, also of recovery. What was said to be durable is there
// afterwards, nothing is there twice, and batches come in order.
#include <map>
#include <set>

#include "wal_fixture.h"

namespace kstream::wal {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSeeds = 300;
#else
constexpr int kSeeds = 2'000;
#endif
constexpr Options kSmall{512 * 1024, 64 * 1024, {}};

// All that outlives the program.
struct World {
  SimulatedDisk disk;
  bool has_identity = false;
  OffsetMap durable;    // what append() said is
  OffsetMap committed;  // to Kafka
  BatchId planned = 0;  // what append_batch() said is
  std::map<BatchId, BatchPlan> plans;
  std::map<TopicPartition, std::set<Offset>> elsewhere;  // read by another member meanwhile
  // The sink, transactional: rows with their batch's id.
  BatchId sink_batch = 0;
  std::map<TopicPartition, std::vector<Offset>> rows;
};

// Control records and compaction leave gaps.
bool is_record(Offset offset) {
  return offset % 7 != 3;
}

class Receiver {
 public:
  Receiver(World& world, Fate& fate) : world_(world), fate_(fate) {}

  void start() {
    if (!world_.has_identity) {
      auto log = WriteAheadLog::create(world_.disk, clock_, kLogDirectory, kStream, kSmall);
      ok(log);
      log_ = std::move(log).value();
      world_.has_identity = true;
    } else {
      auto log = WriteAheadLog::open(world_.disk, clock_, kLogDirectory, kStream, kSmall);
      if (!log.ok() && log.error().is_transient) {
        world_.disk.bytes_max = UINT64_MAX;  // somebody makes room
        log = WriteAheadLog::open(world_.disk, clock_, kLogDirectory, kStream, kSmall);
      }
      ok(log);
      log_ = std::move(log).value();
      go_on();
    }
  }

  void step() {
    switch (fate_.up_to(6)) {
      case 0:
        plan_batch();
        break;
      case 1:
        commit();
        break;
      case 2:
        ok(log_->trim(ours()));
        break;
      default:
        feed();
    }
  }

  // Until all is in the sink.
  void finish() {
    if (!unplanned_.empty()) {
      plan_batch();
    }
    plan_batch();
    if (to_process_) {
      append_batch(std::exchange(to_process_, std::nullopt), nullptr);
    }
    commit();
    ok(log_->trim(ours()));
  }

 private:
  template <class T>
  static void ok(const T& result) {
    if (!result.ok()) {
      FAIL(result.error().text);
    }
  }

  void go_on() {
    next_ = log_->ends();
    for (const auto& [partition, end] : world_.durable) {
      if (next_[partition] < end) {
        FAIL(to_string(partition) << " ends at " << next_[partition] << ", not " << end);
      }
    }
    world_.durable = log_->ends();
    for (const auto& [partition, offset] : log_->acknowledged()) {
      REQUIRE(offset <= world_.committed[partition]);
    }
    Unprocessed found = log_->take_unprocessed();
    REQUIRE(log_->last_batch() >= world_.planned);
    unplanned_ = found.unplanned;
    if (found.plan) {
      REQUIRE(*found.plan->id == log_->last_batch());
      REQUIRE(*found.plan == world_.plans.at(*found.plan->id));
      plan_ = found.plan;
      planned_ = found.planned;
      process();
    } else {
      REQUIRE(found.planned.empty());
      REQUIRE(log_->last_batch() == world_.sink_batch);
    }
  }

  void feed() {
    static RecordBlock blocks[3];
    std::vector<BlockToLog> group;
    for (int left = fate_.up_to(2); left >= 0; --left) {
      const TopicPartition partition{fate_.up_to(3) == 0 ? "rare" : "test", fate_.up_to(1)};
      Offset& next = next_[partition];
      if (fate_.up_to(30) == 0) {
        for (int more = fate_.up_to(5); more > 0; --more) {
          world_.elsewhere[partition].insert(next++);
        }
      }
      std::vector<Offset> offsets;
      const OffsetRange covers{partition, next, next + fate_.up_to(4)};
      for (; next < covers.until; ++next) {
        if (is_record(next)) {
          offsets.push_back(next);
        }
      }
      fill(blocks[left], partition, offsets, static_cast<std::size_t>(fate_.up_to(1500)));
      group.push_back({&blocks[left], covers});
    }
    auto logged = log_->append(group);
    if (!logged.ok() && logged.error().is_transient) {
      next_ = log_ends();
      finish();
      if (fate_.coin()) {
        world_.disk.bytes_max = UINT64_MAX;
      }
      return;
    }
    ok(logged);
    for (const LoggedBlock& block : logged.value()) {
      world_.durable[block.covers.partition] = block.covers.until;
      unplanned_.push_back(block);
    }
  }

  OffsetMap log_ends() const {
    OffsetMap ends = log_->ends();
    for (const auto& [partition, end] : world_.durable) {
      ends[partition] = std::max(ends[partition], end);
    }
    return ends;
  }

  void plan_batch() {
    if (unplanned_.empty()) {
      return;
    }
    BatchPlan plan{log_->last_batch() + 1, clock_.now_ms++, {}};
    for (const LoggedBlock& block : unplanned_) {
      plan.ranges.push_back(block.covers);
    }
    world_.plans[*plan.id] = plan;
    append_batch(std::exchange(to_process_, std::nullopt), &plan);
    world_.planned = *plan.id;
    plan_ = std::move(plan);
    planned_ = std::exchange(unplanned_, {});
    process();
  }

  void process() {
    static RecordBlock block;
    std::vector<std::pair<TopicPartition, Offset>> rows;
    for (const LoggedBlock& logged : planned_) {
      ok(log_->read(logged, block));
      for (const Offset offset : offsets_in(block)) {
        rows.emplace_back(logged.covers.partition, offset);
      }
    }
    fate_.point();
    if (*plan_->id != world_.sink_batch) {  // otherwise it has it already
      REQUIRE(*plan_->id == world_.sink_batch + 1);
      world_.sink_batch = *plan_->id;
      for (const auto& [partition, offset] : rows) {
        world_.rows[partition].push_back(offset);
      }
    }
    fate_.point();
    if (fate_.coin()) {
      append_batch(*plan_->id, nullptr);
    } else {
      to_process_ = plan_->id;
    }
    planned_.clear();
  }

  void append_batch(std::optional<BatchId> processed, const BatchPlan* plan) {
    Status appended = log_->append_batch(processed, plan);
    if (!appended.ok() && appended.error().is_transient) {
      world_.disk.bytes_max = UINT64_MAX;
      appended = log_->append_batch(processed, plan);
    }
    ok(appended);
  }

  void commit() {
    world_.committed = world_.durable;
    fate_.point();
    log_->acknowledge(world_.committed);
  }

  std::vector<TopicPartition> ours() {
    std::vector<TopicPartition> all = partitions_of(world_.durable);
    if (fate_.coin()) {
      all.resize(all.size() / 2);
    }
    return all;
  }

  World& world_;
  Fate& fate_;
  StoppedClock clock_;
  std::unique_ptr<WriteAheadLog> log_;
  OffsetMap next_;
  std::vector<LoggedBlock> unplanned_;
  std::optional<BatchPlan> plan_;
  std::vector<LoggedBlock> planned_;
  std::optional<BatchId> to_process_;
};

// One life of the program; whether it came to its end.
bool live(World& world, Fate& fate, int steps) {
  world.disk.boot(fate);
  try {
    Receiver receiver(world, fate);
    receiver.start();
    for (int i = 0; i < steps; ++i) {
      receiver.step();
    }
    receiver.finish();
    return true;
  } catch (const Crash&) {
    if (fate.coin()) {
      world.disk.crash();  // otherwise the machine goes on
    }
    return false;
  }
}

// Each record up to the log's end is in the sink, once and in order.
void check_rows(const World& world) {
  for (const auto& [partition, end] : world.durable) {
    std::vector<Offset> rows;
    if (const auto found = world.rows.find(partition); found != world.rows.end()) {
      rows = found->second;
    }
    auto row = rows.begin();
    for (Offset offset = 0; offset < end; ++offset) {
      if (row != rows.end() && *row == offset) {
        ++row;
        continue;
      }
      const auto elsewhere = world.elsewhere.find(partition);
      if (is_record(offset) &&
          (elsewhere == world.elsewhere.end() || !elsewhere->second.contains(offset))) {
        FAIL(to_string(partition) << " lacks " << offset);
      }
    }
    if (row != rows.end()) {
      FAIL(to_string(partition) << " has " << *row << " where it does not belong");
    }
  }
}

}  // namespace

TEST_CASE("log: random crashes lose nothing, repeat nothing and keep batches in order") {
  int crashes = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    World world;
    Fate fate(static_cast<std::uint64_t>(seed), 0.01);
    if (seed % 3 == 0) {
      world.disk.bytes_max = static_cast<std::uint64_t>(100'000 + fate.up_to(300'000));
    }
    for (int life = 0; life < 8; ++life) {
      crashes += live(world, fate, 40) ? 0 : 1;
    }
    Fate peace(static_cast<std::uint64_t>(seed), 0);
    REQUIRE(live(world, peace, 0));
    check_rows(world);
  }
  CHECK(crashes > kSeeds);
}

TEST_CASE(
    "log: a crash at each step, and then at each step of recovery, loses and repeats nothing") {
  constexpr int kSteps = 60;
  const auto points_of = [](World& world, int steps) {
    Fate fate(1, 0);
    REQUIRE(live(world, fate, steps));
    return fate.points;
  };
  World whole;
  const int points = points_of(whole, kSteps);
  CHECK(points > 200);
  for (int first = 1; first <= points; first += 1) {
    for (int second = 1;; ++second) {
      INFO("points " << first << ", " << second);
      World world;
      Fate fate(1, 0);
      fate.crash_at = first;
      REQUIRE_FALSE(live(world, fate, kSteps));
      Fate again(static_cast<std::uint64_t>(first), 0);
      again.crash_at = second;
      const bool ended = live(world, again, 0);
      Fate peace(3, 0);
      REQUIRE(live(world, peace, 10));
      check_rows(world);
      if (ended || second >= 40) {
        break;
      }
    }
  }
}

}  // namespace kstream::wal
