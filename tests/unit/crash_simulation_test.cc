// The contract of sources and sinks, with crashes: the real batch loop, the real checkpoint on a
// simulated disk, a simulated log for the receiving shape, and a program that is stopped before and
// after any durable step, thousands of times. Whatever happens, each record is counted once in a
// sink that keeps the batch's id with its rows. And the simulation has teeth: each of the mistakes
// that one could make is found by it.
#include <map>
#include <random>

#include "catch.h"
#include "checkpoint/checkpoint_store.h"
#include "counted_words.h"
#include "pipeline/batch_loop.h"
#include "simulated_disk.h"
#include "simulated_machine.h"
#include "source/range_planner.h"

namespace kstream {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSeeds = 2'000;  // a sanitizer looks for other things
#else
constexpr int kSeeds = 20'000;  // of each shape
#endif
constexpr int kSeedsForMistake = 200;
constexpr int kPartitions = 2;
constexpr int kRecordsEach = 8;
constexpr const char* kDirectory = "state";

enum class Mistake {
  kNone,
  // with a checkpoint
  kNoIntent,            // the plan is not durable: after a crash another is made
  kCompleteBeforeSink,  // the position moves before the sink has the batch
  kCommitLast,          // the last offset instead of the next one
  kNewIdOnReplay,
  kNoFileSync,
  kNoDirectorySync,
  kNoHandshake,  // the sink does not say what it holds
  // with a log
  kNoBatchFrame,
  kProcessedBeforeSink,
  kCommitBeforeLog,
};

using Counts = std::map<std::string, std::uint64_t>;

// A batch as somebody downstream sees it.
struct Row {
  BatchPlan plan;
  Counts counts;
  bool operator==(const Row&) const = default;
};

// A frame of the simulated log.
struct Frame {
  enum Kind { kRecords, kBatch, kProcessed } kind;
  std::vector<OffsetRange> ranges;  // of records or a batch
  BatchId id = 0;
  BatchTime time_ms = 0;
};

// All that outlives the program.
struct World {
  World(std::uint64_t seed, Mistake mistake_made) : mistake(mistake_made) {
    disk.syncs_files = mistake != Mistake::kNoFileSync;
    disk.syncs_directories = mistake != Mistake::kNoDirectorySync;
    std::mt19937_64 random(seed);
    for (int partition = 0; partition < kPartitions; ++partition) {
      auto& log = logs[{"test", partition}];
      for (int i = 0; i < kRecordsEach; ++i) {
        log.push_back(random() % 3 == 0 ? "a" : random() % 2 == 0 ? "b a" : "c");
      }
      written[{"test", partition}] = 0;
    }
  }

  Mistake mistake;
  SimulatedDisk disk;
  std::map<TopicPartition, std::vector<std::string>> logs;
  OffsetMap written;  // how much of each log has been produced so far
  std::vector<Frame> frames;
  OffsetMap committed;  // to the group
  std::vector<Row> sink_rows;
  std::vector<Row> printed;
  BatchTime now_ms = 1'000;
};

void produce(World& world, Fate& fate) {
  for (auto& [partition, end] : world.written) {
    end = std::min<Offset>(end + fate.up_to(3), kRecordsEach);
  }
}

// Hands over the records of the ranges, as far as they are among those `there`.
void read_ranges(const World& world, const std::vector<OffsetRange>& ranges,
                 const std::vector<OffsetRange>& there, BlockExchange& blocks) {
  for (const OffsetRange& range : ranges) {
    for (const OffsetRange& part : there) {
      const Offset from = std::max(range.from, part.from);
      const Offset until = std::min(range.until, part.until);
      if (range.partition != part.partition || from >= until) {
        continue;
      }
      BlockPtr block = blocks.acquire();
      block->start(range.partition);
      for (Offset offset = from; offset < until; ++offset) {
        const std::string& text = world.logs.at(range.partition)[static_cast<std::size_t>(offset)];
        REQUIRE(block->append({offset, 0, std::nullopt, text}));
      }
      blocks.submit(std::move(block));
      FilledBlock full = *blocks.take();
      machine().counters[0].count(*full);
      blocks.recycle(std::move(full));
    }
  }
}

bool has_records(const std::vector<OffsetRange>& ranges) {
  for (const OffsetRange& range : ranges) {
    if (!range.is_empty()) {
      return true;
    }
  }
  return false;
}

// Ranges straight from the broker, the position in a checkpoint.
class DirectShape final : public Source {
 public:
  DirectShape(World& world, Fate& fate)
      : world_(world), fate_(fate), store_(world.disk, kDirectory) {}

  Status start() {
    KS_TRY_VALUE(stored, read_state(world_.disk, kDirectory));
    if (stored) {
      store_.resume(stored->checkpoint);
      is_replay_ = stored->checkpoint.intent.has_value();
      return {};
    }
    OffsetMap next;
    for (const auto& [partition, log] : world_.logs) {
      next[partition] = 0;
    }
    Identity identity;
    identity.stream = new_stream_id();
    return store_.begin(identity, next);
  }

  const Checkpoint& checkpoint() const { return store_.now(); }

  Result<std::optional<BatchPlan>> plan(BatchTime time, const Stop&) override {
    const Checkpoint& now = store_.now();
    if (now.intent) {
      BatchPlan again = *now.intent;
      if (world_.mistake == Mistake::kNewIdOnReplay && is_replay_) {
        again.id = *again.id + 1;
      }
      return std::optional(again);
    }
    if (planned_) {
      return planned_;
    }
    OffsetMap ends = world_.written;
    for (auto& [partition, end] : ends) {
      end = std::min(end, now.committed.next.at(partition) + fate_.up_to(3));
    }
    BatchPlan plan{std::nullopt, time, plan_ranges(now.committed.next, ends)};
    if (has_records(plan.ranges)) {
      plan.id = now.committed.batch + 1;
      if (world_.mistake == Mistake::kNoIntent) {
        planned_ = plan;
      } else {
        KS_TRY(store_.intend(plan));
      }
    }
    return std::optional(plan);
  }

  Status read(const BatchPlan& plan, BlockExchange& blocks, const std::stop_token&) override {
    fate_.point();
    read_ranges(world_, plan.ranges, plan.ranges, blocks);
    fate_.point();
    if (world_.mistake == Mistake::kCompleteBeforeSink) {
      store_.complete();
      return store_.settle();
    }
    return {};
  }

  Status complete(const BatchPlan& plan) override {
    if (!plan.id || world_.mistake == Mistake::kCompleteBeforeSink) {
      return {};
    }
    if (planned_) {  // without a durable intent, its commit alone is
      KS_TRY(store_.intend(*planned_));
      planned_.reset();
    }
    store_.complete();
    if (world_.mistake == Mistake::kCommitLast) {
      OffsetMap wrong = store_.now().committed.next;
      for (const OffsetRange& range : plan.ranges) {
        wrong[range.partition] -= range.is_empty() ? 0 : 1;
      }
      store_.move(wrong);
    }
    return {};
  }

  Status settle() override { return store_.settle(); }

  bool is_done() const { return store_.now().committed.next == done() && !store_.now().intent; }

 private:
  OffsetMap done() const {
    OffsetMap ends;
    for (const auto& [partition, log] : world_.logs) {
      ends[partition] = kRecordsEach;
    }
    return ends;
  }

  World& world_;
  Fate& fate_;
  CheckpointStore store_;
  bool is_replay_ = false;
  std::optional<BatchPlan> planned_;  // a mistake: in memory only
};

// Records are logged first, then committed to the group; batches are cut from the log.
class LogShape final : public Source {
 public:
  LogShape(World& world, Fate& fate) : world_(world), fate_(fate) {}

  // What the log says: how far it reaches, which records no batch owns, which batch is in hand.
  Status start() {
    for (const auto& [partition, log] : world_.logs) {
      received_[partition] = world_.committed[partition];
      owned_[partition] = 0;
    }
    for (const Frame& frame : world_.frames) {
      for (const OffsetRange& range : frame.ranges) {
        OffsetMap& mark = frame.kind == Frame::kRecords ? received_ : owned_;
        mark[range.partition] = std::max(mark[range.partition], range.until);
      }
      if (frame.kind == Frame::kBatch) {
        in_hand_ = BatchPlan{frame.id, frame.time_ms, frame.ranges};
      } else if (frame.kind == Frame::kProcessed) {
        last_id_ = frame.id;
        in_hand_.reset();
      }
    }
    return {};
  }

  Result<std::optional<BatchPlan>> plan(BatchTime time, const Stop&) override {
    receive();
    if (in_hand_) {
      return in_hand_;
    }
    BatchPlan plan{std::nullopt, time, plan_ranges(owned_, received_)};
    if (has_records(plan.ranges)) {
      plan.id = last_id_ + 1;
      if (world_.mistake != Mistake::kNoBatchFrame) {
        append({Frame::kBatch, plan.ranges, *plan.id, time});
      }
      in_hand_ = plan;
      owned_ = received_;
    }
    return std::optional(plan);
  }

  Status read(const BatchPlan& plan, BlockExchange& blocks, const std::stop_token&) override {
    fate_.point();
    read_ranges(world_, plan.ranges, logged(), blocks);
    fate_.point();
    if (world_.mistake == Mistake::kProcessedBeforeSink) {
      append({Frame::kProcessed, {}, *plan.id, 0});
    }
    return {};
  }

  Status complete(const BatchPlan& plan) override {
    if (plan.id) {
      // Without a BATCH frame the mark is all that says what was processed.
      const bool owns = world_.mistake == Mistake::kNoBatchFrame;
      append({Frame::kProcessed, owns ? plan.ranges : std::vector<OffsetRange>(), *plan.id, 0});
      last_id_ = *plan.id;
      in_hand_.reset();
    }
    return {};
  }

  Status settle() override { return {}; }

  bool is_done() const {
    for (const auto& [partition, end] : owned_) {
      if (end < kRecordsEach) {
        return false;
      }
    }
    return !in_hand_;
  }

 private:
  void receive() {
    std::vector<OffsetRange> ranges = plan_ranges(received_, world_.written);
    if (!has_records(ranges)) {
      return;
    }
    if (world_.mistake == Mistake::kCommitBeforeLog) {
      world_.committed = world_.written;
      fate_.point();
    }
    append({Frame::kRecords, ranges, 0, 0});
    for (const OffsetRange& range : ranges) {
      received_[range.partition] = range.until;
    }
    fate_.point();
    world_.committed = received_;
    fate_.point();
  }

  std::vector<OffsetRange> logged() const {
    std::vector<OffsetRange> ranges;
    for (const Frame& frame : world_.frames) {
      if (frame.kind == Frame::kRecords) {
        ranges.insert(ranges.end(), frame.ranges.begin(), frame.ranges.end());
      }
    }
    return ranges;
  }

  void append(Frame frame) {
    fate_.point();
    world_.frames.push_back(std::move(frame));
    fate_.point();
  }

  World& world_;
  Fate& fate_;
  OffsetMap received_;
  OffsetMap owned_;
  BatchId last_id_ = 0;
  std::optional<BatchPlan> in_hand_;
};

Row row_of(const BatchResult& result) {
  Row row{result.plan, {}};
  for (const auto& [word, count] : map_of(result.counts)) {
    row.counts[word] += count;
  }
  return row;
}

// Keeps the batch's id with its rows, all or nothing.
class TransactionalSink final : public Sink {
 public:
  TransactionalSink(World& world, Fate& fate) : world_(world), fate_(fate) {}
  std::string name() const override { return "the sink"; }
  bool wants_empty_batches() const override { return false; }
  Result<std::optional<HeldBatch>> last_batch() override {
    if (world_.sink_rows.empty() || world_.mistake == Mistake::kNoHandshake) {
      return std::optional<HeldBatch>();
    }
    const BatchPlan& last = world_.sink_rows.back().plan;
    return std::optional(HeldBatch{*last.id, fingerprint(last)});
  }
  Status write(const BatchResult& result) override {
    fate_.point();
    world_.sink_rows.push_back(row_of(result));
    fate_.point();
    return {};
  }

 private:
  World& world_;
  Fate& fate_;
};

class Printer final : public Sink {
 public:
  Printer(World& world, Fate& fate) : world_(world), fate_(fate) {}
  std::string name() const override { return "the sink"; }
  bool wants_empty_batches() const override { return false; }
  Result<std::optional<HeldBatch>> last_batch() override { return std::optional<HeldBatch>(); }
  Status write(const BatchResult& result) override {
    fate_.point();
    world_.printed.push_back(row_of(result));
    fate_.point();
    return {};
  }

 private:
  World& world_;
  Fate& fate_;
};

void tell_loop(const DirectShape& source, BatchLoopOptions& options) {
  const Checkpoint& now = source.checkpoint();
  options.last_time_ms = now.intent ? now.intent->time_ms : now.committed.time_ms;
  options.is_first_planned = now.intent.has_value();
}
void tell_loop(const LogShape&, BatchLoopOptions&) {}

// One life of the program, up to its end or until it is stopped. An error is a wrong outcome, too.
template <class Shape>
Status live(World& world, Fate& fate) {
  SimulatedClock clock(world.now_ms);
  Shape source(world, fate);
  KS_TRY(source.start());
  TransactionalSink sink(world, fate);
  Printer printer(world, fate);
  BatchLoopOptions options;
  options.interval = std::chrono::milliseconds(10);
  tell_loop(source, options);
  BatchLoop loop(source, {&printer, &sink}, machine().counters, machine().blocks, clock, options);
  const std::stop_source stop;
  KS_TRY(loop.start({stop.get_token(), stop.get_token()}));
  for (int step = 0; step < 200; ++step) {
    produce(world, fate);
    KS_TRY_VALUE(goes_on, loop.step({stop.get_token(), stop.get_token()}));
    if (!goes_on || source.is_done()) {
      return source.settle();
    }
  }
  return Error{ExitCode::kInternal, "it does not end"};
}

// What is wrong with what came out; empty when nothing is.
std::string wrong(const World& world) {
  Counts want;
  for (const auto& [partition, log] : world.logs) {
    for (const std::string& text : log) {
      for_each_word(Split::kSpace, text, [&](std::string_view word) { ++want[std::string(word)]; });
    }
  }
  Counts got;
  OffsetMap next;
  BatchId id = 0;
  BatchTime time_ms = 0;
  std::map<BatchId, Row> rows;
  for (const Row& row : world.sink_rows) {
    if (row.plan.id != ++id || row.plan.time_ms <= time_ms) {
      return "ids or times do not go up by one";
    }
    time_ms = row.plan.time_ms;
    for (const OffsetRange& range : row.plan.ranges) {
      if (next[range.partition] != range.from) {
        return "ranges are not contiguous";
      }
      next[range.partition] = range.until;
    }
    for (const auto& [word, count] : row.counts) {
      got[word] += count;
    }
    rows.emplace(id, row);
  }
  if (got != want) {
    return "counts differ";
  }
  for (const Row& row : world.printed) {
    if (rows.at(*row.plan.id) != row) {
      return "a batch was printed that is not the one stored";
    }
  }
  return "";
}

// What went wrong in the world of this seed; empty when nothing did.
template <class Shape>
std::string outcome(std::uint64_t seed, Mistake mistake, int& crashes) {
  World world(seed, mistake);
  Fate fate(seed, 0.02);
  for (int life = 0; life < 60; ++life) {
    Fate peace(seed + 1, 0);
    Fate& current = life == 59 ? peace : fate;
    world.disk.boot(current);
    try {
      const Status lived = live<Shape>(world, current);
      return lived.ok() ? wrong(world) : lived.error().text;
    } catch (const Crash&) {
      ++crashes;
      world.disk.crash();
    }
  }
  return "no life came to its end";
}

template <class Shape>
void expect_exact() {
  int crashes = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const std::string problem =
        outcome<Shape>(static_cast<std::uint64_t>(seed), Mistake::kNone, crashes);
    if (!problem.empty()) {
      FAIL("seed " << seed << ": " << problem);
    }
  }
  CHECK(crashes > kSeeds);
}

template <class Shape>
void expect_found(Mistake mistake) {
  int crashes = 0;
  int seed = 0;
  while (seed < kSeedsForMistake &&
         outcome<Shape>(static_cast<std::uint64_t>(seed), mistake, crashes).empty()) {
    ++seed;
  }
  INFO("mistake " << static_cast<int>(mistake) << ": not found in " << seed << " seeds");
  CHECK(seed < kSeedsForMistake);
}

}  // namespace

TEST_CASE("crashes: with a checkpoint nothing is lost and nothing is counted twice") {
  expect_exact<DirectShape>();
}

TEST_CASE("crashes: with a log nothing is lost and nothing is counted twice") {
  expect_exact<LogShape>();
}

TEST_CASE("crashes: each mistake with the checkpoint is found") {
  for (const Mistake mistake : {Mistake::kNoIntent, Mistake::kCompleteBeforeSink,
                                Mistake::kCommitLast, Mistake::kNewIdOnReplay, Mistake::kNoFileSync,
                                Mistake::kNoDirectorySync, Mistake::kNoHandshake}) {
    expect_found<DirectShape>(mistake);
  }
}

TEST_CASE("crashes: each mistake with the log is found") {
  for (const Mistake mistake : {Mistake::kNoBatchFrame, Mistake::kProcessedBeforeSink,
                                Mistake::kCommitBeforeLog, Mistake::kNoHandshake}) {
    expect_found<LogShape>(mistake);
  }
}

}  // namespace kstream
