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
constexpr int kEvery = 5;
#else
constexpr int kSeeds = 2'000;
constexpr int kEvery = 1;
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

// What the log or the sink should not be.
struct Wrong {
  std::string what;
};
void expect(bool is_so, const char* what) {
  if (!is_so) {
    throw Wrong{what};
  }
}

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
      throw Wrong{result.error().text};
    }
  }

  void go_on() {
    next_ = log_->ends();
    for (const auto& [partition, end] : world_.durable) {
      if (next_[partition] < end) {
        throw Wrong{to_string(partition) + " has lost its end"};
      }
    }
    world_.durable = log_->ends();
    for (const auto& [partition, offset] : log_->acknowledged()) {
      expect(offset <= world_.committed[partition], "more is committed than was");
    }
    Unprocessed found = log_->take_unprocessed();
    expect(log_->last_batch() >= world_.planned, "a batch is lost");
    unplanned_ = found.unplanned;
    if (found.plan) {
      expect(*found.plan->id == log_->last_batch(), "the plan is not the last batch");
      expect(*found.plan == world_.plans.at(*found.plan->id), "the plan is another");
      plan_ = found.plan;
      planned_ = found.planned;
      process();
    } else {
      expect(found.planned.empty(), "there are blocks of no plan");
      expect(log_->last_batch() == world_.sink_batch, "the sink has another batch");
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
      expect(*plan_->id == world_.sink_batch + 1, "batches are out of order");
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
        throw Wrong{to_string(partition) + " lacks " + std::to_string(offset)};
      }
    }
    if (row != rows.end()) {
      throw Wrong{to_string(partition) + " has a record twice, or too early"};
    }
  }
}

// What is wrong after the lives of this seed; empty when nothing is.
std::string outcome(int seed, World& world, int& crashes) {
  Fate fate(static_cast<std::uint64_t>(seed), 0.01);
  if (seed % 3 == 0) {
    world.disk.bytes_max = static_cast<std::uint64_t>(100'000 + fate.up_to(300'000));
  }
  try {
    for (int life = 0; life < 8; ++life) {
      crashes += live(world, fate, 40) ? 0 : 1;
    }
    Fate peace(static_cast<std::uint64_t>(seed), 0);
    live(world, peace, 0);
    check_rows(world);
    return "";
  } catch (const Wrong& wrong) {
    return wrong.what;
  }
}

int seeds_found(bool syncs_files, bool syncs_directories) {
  constexpr int kSeedsForMistake = 100;
  int crashes = 0;
  int found = 0;
  for (int seed = 0; seed < kSeedsForMistake; ++seed) {
    World world;
    world.disk.syncs_files = syncs_files;
    world.disk.syncs_directories = syncs_directories;
    found += outcome(seed, world, crashes).empty() ? 0 : 1;
  }
  return found;
}

}  // namespace

TEST_CASE("log: random crashes lose nothing, repeat nothing and keep batches in order") {
  int crashes = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    World world;
    const std::string wrong = outcome(seed, world, crashes);
    if (!wrong.empty()) {
      FAIL("seed " << seed << ": " << wrong);
    }
  }
  CHECK(crashes > kSeeds);
}

TEST_CASE("log: a crash at each step, and then at each of recovery, loses and repeats nothing") {
  constexpr int kSteps = 40;
  World whole;
  Fate uneventful(1, 0);
  REQUIRE(live(whole, uneventful, kSteps));
  CHECK(uneventful.points > 100);
  for (int first = 1; first <= uneventful.points; first += kEvery) {
    bool has_ended = false;
    for (int second = 1; !has_ended; ++second) {
      try {
        World world;
        Fate fate(1, 0);
        fate.crash_at = first;
        live(world, fate, kSteps);
        Fate again(static_cast<std::uint64_t>(first), 0);
        again.crash_at = second;
        has_ended = live(world, again, 0);
        Fate peace(3, 0);
        live(world, peace, 10);
        check_rows(world);
      } catch (const Wrong& wrong) {
        FAIL("points " << first << ", " << second << ": " << wrong.what);
      }
    }
  }
}

TEST_CASE("log: the crashes find a disk that does not sync") {
  CHECK(seeds_found(true, true) == 0);
  CHECK(seeds_found(false, true) > 50);
  CHECK(seeds_found(true, false) > 50);
}

}  // namespace kstream::wal
