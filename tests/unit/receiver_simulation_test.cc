// Two receiving streams in one group, with all that can happen to them: the real log on a simulated
// disk, the real reception, source and batch loop; a simulated group that hands partitions from one
// to the other, tells some members of it too late, loses answers to commits; and a program that is
// stopped before and after any durable step. Nothing is lost, and whatever is counted twice has
// been reported. And the simulation has teeth: each of the mistakes that one could make is found by
// it.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catch.h"
#include "counted_words.h"
#include "pipeline/batch_loop.h"
#include "quiet.h"
#include "simulated_disk.h"
#include "simulated_machine.h"
#include "source/receiver_source.h"
#include "source/reception.h"

namespace kstream {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSeeds = 300;  // a sanitizer looks for other things
#else
constexpr int kSeeds = 5'000;
#endif
constexpr int kSeedsForMistake = 300;
constexpr int kPartitions = 3;
constexpr Offset kRecordsEach = 12;
constexpr int kSteps = 160;
constexpr const char* kStreams[] = {"6f1c9d1e-4b0a-4e55-9c3b-0f5f6d1f2a3b",
                                    "0a1b2c3d-4b0a-4e55-9c3b-0f5f6d1f2a3b"};

enum class Mistake {
  kNone,
  kNoClaim,           // records are handed over before the start was committed
  kStartAtCommitted,  // although the log has more
  kCommitBeforeLog,   // what was received instead of what is safe
  kCommitAfterLoss,   // of a partition that somebody else has meanwhile
  kSilence,           // possible repeats are not reported
};

TopicPartition partition_of(int i) {
  return {"test", i};
}

std::string word_of(const TopicPartition& partition, Offset offset) {
  return "w" + std::to_string(partition.partition) + "-" + std::to_string(offset);
}

// The broker's side of it.
struct Group {
  std::map<TopicPartition, std::optional<kafka::Committed>> committed;
  std::map<TopicPartition, int> owner;  // -1: nobody
  int generation = 0;
};

struct World {
  Mistake mistake = Mistake::kNone;
  Group group;
  std::int64_t now_ms = 1'000;
  std::map<std::string, int> counted;  // word: how often, over all sinks
  std::map<TopicPartition, std::set<Offset>> reported;
  std::string problem;
};

// Decides as the real one does, without a cluster to ask.
class SimulatedStarts final : public StartFinder {
 public:
  SimulatedStarts(World& world, std::string stream) : world_(world), stream_(std::move(stream)) {}

  Result<OffsetMap> find(const kafka::CommittedMap& committed,
                         const std::map<TopicPartition, HeldPosition>& held) override {
    OffsetMap starts;
    for (const auto& [partition, position] : committed) {
      const auto known = held.find(partition);
      KS_TRY_VALUE(decision,
                   decide_start(partition, position,
                                known == held.end() ? std::nullopt : std::optional(known->second),
                                stream_, true, 0));
      if (decision.possible_repeats) {
        report_possible_repeats(*decision.possible_repeats);
      }
      const bool is_wrong = world_.mistake == Mistake::kStartAtCommitted && position;
      starts[partition] = is_wrong ? position->next : decision.start;
    }
    return starts;
  }
  Result<Offset> skip_lost(const TopicPartition&, Offset wanted) override { return wanted; }
  bool is_own(const kafka::Committed& committed) const override {
    return committed.metadata == stream_;
  }
  void report_possible_repeats(const OffsetRange& range) override {
    for (Offset offset = range.from; offset < range.until && world_.mistake != Mistake::kSilence;
         ++offset) {
      world_.reported[range.partition].insert(offset);
    }
  }

 private:
  World& world_;
  const std::string stream_;
};

// Keeps the batch's id with its rows, all or nothing.
struct Rows {
  std::optional<BatchId> last;
};

class TransactionalSink final : public Sink {
 public:
  TransactionalSink(World& world, Rows& rows, Fate& fate)
      : world_(world), rows_(rows), fate_(fate) {}
  std::string name() const override { return "the sink"; }
  bool wants_empty_batches() const override { return false; }
  Result<std::optional<HeldBatch>> last_batch() override {
    return rows_.last ? std::optional(HeldBatch{*rows_.last, {}}) : std::nullopt;
  }
  Status write(const BatchResult& result) override {
    fate_.point();
    rows_.last = result.plan.id;
    for (const auto& [word, count] : map_of(result.counts)) {
      world_.counted[word] += static_cast<int>(count);
    }
    fate_.point();
    return {};
  }

 private:
  World& world_;
  Rows& rows_;
  Fate& fate_;
};

class NoStore final : public OffsetStore {
 public:
  Status publish(const OffsetMap&) override { return {}; }
  Result<OffsetMap> read(std::span<const TopicPartition>) override { return OffsetMap(); }
  const std::string& name() const override { return name_; }

 private:
  const std::string name_ = "nothing";
};

// Counts as it is read: no other thread is needed.
class CountingSource final : public Source {
 public:
  explicit CountingSource(ReceiverSource& source) : source_(source) {}
  Result<std::optional<BatchPlan>> plan(BatchTime time, const Stop& stop) override {
    return source_.plan(time, stop);
  }
  Status read(const BatchPlan& plan, BlockExchange&, const std::stop_token& abort) override {
    BlockExchange blocks(64);
    KS_TRY(source_.read(plan, blocks, abort));
    blocks.close();
    while (auto block = blocks.take()) {
      machine().counters[0].count(**block);
      blocks.recycle(*std::move(block));
    }
    return {};
  }
  Status complete(const BatchPlan& plan) override { return source_.complete(plan); }
  Status settle() override { return source_.settle(); }

 private:
  ReceiverSource& source_;
};

// One life of one process.
class Life {
 public:
  static Result<std::unique_ptr<Life>> start(World& world, Fate& fate, SimulatedDisk& disk,
                                             Rows& rows, int index) {
    auto clock = std::make_unique<SimulatedClock>(world.now_ms);
    const wal::Options options{512 * 1024, 64 * 1024, std::nullopt};
    KS_TRY_VALUE(names, disk.names("state"));
    const bool is_there = std::any_of(
        names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".wal"); });
    const auto open = is_there ? wal::WriteAheadLog::open : wal::WriteAheadLog::create;
    KS_TRY_VALUE(log, open(disk, *clock, "state/wal", kStreams[index], options));
    std::unique_ptr<Life> life(
        new Life(world, fate, rows, index, std::move(clock), std::move(log)));
    KS_TRY(life->loop_.start({}));
    return life;
  }

  // The group gives it these.
  Status assign(const std::vector<TopicPartition>& partitions) {
    kafka::CommittedMap committed;
    for (const TopicPartition& partition : partitions) {
      committed[partition] = world_.group.committed[partition];
    }
    KS_TRY_VALUE(ranges, reception_.start(committed));
    generation_ = world_.group.generation;
    for (const OffsetRange& range : ranges) {
      held_[range.partition] = {range.from, false};
    }
    return {};
  }

  // It hears that its partitions are to be taken away, in time.
  Status revoke() {
    KS_TRY(log_all());
    const std::vector<TopicPartition> names = partitions_of(held_);
    reception_.finish(names);
    commit();
    reception_.release(names, false);
    held_.clear();
    return {};
  }

  // It hears that others have had them for a while.
  Status learn_of_loss() {
    if (world_.mistake == Mistake::kCommitAfterLoss) {
      generation_ = world_.group.generation;
      commit();
    }
    reception_.release(partitions_of(held_), true);
    held_.clear();
    return {};
  }

  void fetch() {
    for (auto& [partition, held] : held_) {
      const bool may = held.is_claimed || world_.mistake == Mistake::kNoClaim;
      const Offset until = std::min<Offset>(held.next + fate_.up_to(3), kRecordsEach);
      if (!may || held.next >= until) {
        continue;
      }
      BlockPtr block = reception_.acquire();
      block->start(partition);
      for (Offset offset = held.next; offset < until; ++offset) {
        REQUIRE(block->append({offset, 0, std::nullopt, word_of(partition, offset)}));
      }
      reception_.submit(std::move(block), {partition, held.next, until});
      held.next = until;
    }
  }

  Status log_some() { return reception_.log_group(); }

  void commit() {
    OffsetMap safe = reception_.safe(partitions_of(held_));
    if (world_.mistake == Mistake::kCommitBeforeLog) {
      for (auto& [partition, offset] : safe) {
        offset = held_.at(partition).next;
      }
    }
    fate_.point();
    if (generation_ != world_.group.generation) {
      return;  // refused
    }
    for (const auto& [partition, offset] : safe) {
      world_.group.committed[partition] = kafka::Committed{offset, kStreams[index_]};
    }
    fate_.point();
    if (fate_.up_to(4) == 0) {
      return;  // the answer is lost
    }
    reception_.committed(safe);
    for (auto& [partition, held] : held_) {
      held.is_claimed = true;
    }
  }

  Status batch() {
    const std::stop_source stop;
    KS_TRY(loop_.step({stop.get_token(), stop.get_token()}));
    return fate_.coin() ? source_.settle() : Status();
  }

  bool is_zombie() const { return !held_.empty() && generation_ != world_.group.generation; }
  bool has_partitions() const { return !held_.empty(); }

  void look_at_doubtful() {
    kafka::CommittedMap committed;
    for (const TopicPartition& partition : reception_.doubtful()) {
      committed[partition] = world_.group.committed[partition];
    }
    reception_.look_at(committed);
  }

  // Until nothing is left to do here.
  Status finish() {
    look_at_doubtful();
    fetch();
    KS_TRY(log_all());
    KS_TRY(batch());
    commit();
    KS_TRY(source_.settle());
    return {};
  }

 private:
  struct Held {
    Offset next = 0;
    bool is_claimed = false;
  };

  Life(World& world, Fate& fate, Rows& rows, int index, std::unique_ptr<SimulatedClock> clock,
       std::unique_ptr<wal::WriteAheadLog> log)
      : world_(world),
        fate_(fate),
        index_(index),
        clock_(std::move(clock)),
        log_(std::move(log)),
        starts_(world, kStreams[index]),
        reception_(starts_, log_.get(), nullptr, *clock_, {}),
        source_(reception_, log_.get(), store_, *clock_, {}),
        counting_(source_),
        sink_(world, rows, fate),
        loop_(counting_, {&sink_}, machine().counters, machine().blocks, *clock_,
              loop_options(source_)) {}

  static BatchLoopOptions loop_options(const ReceiverSource& source) {
    BatchLoopOptions options;
    options.interval = std::chrono::milliseconds(10);
    options.last_time_ms = source.last_time_ms();
    options.is_first_planned = source.has_plan();
    return options;
  }

  // What run_log() does until there is nothing more.
  Status log_all() {
    for (int i = 0; i < 20; ++i) {
      KS_TRY(reception_.log_group());
    }
    return {};
  }

  World& world_;
  Fate& fate_;
  const int index_;
  std::unique_ptr<SimulatedClock> clock_;
  std::unique_ptr<wal::WriteAheadLog> log_;
  SimulatedStarts starts_;
  NoStore store_;
  Reception reception_;
  ReceiverSource source_;
  CountingSource counting_;
  TransactionalSink sink_;
  BatchLoop loop_;
  std::map<TopicPartition, Held> held_;
  int generation_ = -1;
};

struct Process {
  SimulatedDisk disk;
  Rows rows;
  std::unique_ptr<Life> life;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, Mistake mistake) : fate_(seed, 0.01) {
    world_.mistake = mistake;
    for (int i = 0; i < kPartitions; ++i) {
      world_.group.owner[partition_of(i)] = -1;
    }
  }

  // What went wrong; empty when nothing did.
  std::string run() {
    for (int step = 0; step < kSteps && world_.problem.empty(); ++step) {
      const int i = fate_.up_to(1);
      guarded(i, [&] { return take_step(i); });
    }
    end_in_peace();
    return world_.problem.empty() ? wrong() : world_.problem;
  }

  int crashes = 0;

 private:
  Status take_step(int i) {
    Life* life = processes_[i].life.get();
    if (life == nullptr) {
      return fate_.up_to(3) == 0 ? boot(i) : Status();
    }
    switch (fate_.up_to(10)) {
      case 0:
        return fate_.up_to(2) == 0 ? rebalance() : Status();
      case 1:
        return life->is_zombie() ? life->learn_of_loss() : Status();
      case 10:
        life->look_at_doubtful();
        return {};
      case 2:
      case 3:
        life->commit();
        return {};
      case 4:
      case 5:
        return life->log_some();
      case 6:
      case 7:
        return life->batch();
      default:
        life->fetch();
        return {};
    }
  }

  // Runs a step of a process; a crash ends its life.
  template <class Step>
  void guarded(int i, Step step) {
    processes_[i].disk.boot(fate_);
    running_ = i;
    try {
      if (const Status taken = step(); !taken.ok()) {
        world_.problem = taken.error().text;
      }
    } catch (const Crash&) {
      ++crashes;
      processes_[running_].life.reset();
      processes_[running_].disk.crash();
    }
  }

  Status boot(int i) {
    Process& process = processes_[i];
    process.disk.boot(fate_);
    KS_TRY_VALUE(life, Life::start(world_, fate_, process.disk, process.rows, i));
    process.life = std::move(life);
    // Its instance id gives it back what it had, as long as nobody else has been given it.
    std::vector<TopicPartition> mine = owned_by(i);
    return mine.empty() ? Status() : process.life->assign(mine);
  }

  std::vector<TopicPartition> owned_by(int i) const {
    std::vector<TopicPartition> mine;
    for (const auto& [partition, owner] : world_.group.owner) {
      if (owner == i) {
        mine.push_back(partition);
      }
    }
    return mine;
  }

  // Some hear of it in time; of the others the partitions are gone all the same.
  Status rebalance() {
    std::vector<int> members;
    for (int i = 0; i < 2; ++i) {
      running_ = i;
      Life* life = processes_[i].life.get();
      if (life == nullptr || life->is_zombie()) {
        continue;
      }
      if (life->has_partitions() && is_troubled_ && fate_.up_to(3) == 0) {
        continue;  // it hangs
      }
      processes_[i].disk.boot(fate_);
      KS_TRY(life->revoke());
      members.push_back(i);
    }
    if (members.empty()) {
      return {};
    }
    ++world_.group.generation;
    for (auto& [partition, owner] : world_.group.owner) {
      owner = members[static_cast<std::size_t>(fate_.up_to(static_cast<int>(members.size()) - 1))];
    }
    for (const int i : members) {
      running_ = i;
      processes_[i].disk.boot(fate_);
      KS_TRY(processes_[i].life->assign(owned_by(i)));
    }
    return {};
  }

  void end_in_peace() {
    Fate peace(1, 0);
    std::swap(fate_, peace);
    is_troubled_ = false;
    for (int round = 0; round < 40 && world_.problem.empty(); ++round) {
      for (int i = 0; i < 2 && world_.problem.empty(); ++i) {
        guarded(i, [&]() -> Status {
          Process& process = processes_[i];
          if (process.life == nullptr) {
            KS_TRY(boot(i));
          }
          if (process.life->is_zombie()) {
            KS_TRY(process.life->learn_of_loss());
          }
          return {};
        });
      }
      if (round == 0 && world_.problem.empty()) {
        guarded(0, [&] { return rebalance(); });
      }
      for (int i = 0; i < 2 && world_.problem.empty(); ++i) {
        guarded(i, [&] { return processes_[i].life->finish(); });
      }
    }
  }

  std::string wrong() const {
    for (int i = 0; i < kPartitions; ++i) {
      const TopicPartition partition = partition_of(i);
      for (Offset offset = 0; offset < kRecordsEach; ++offset) {
        const std::string word = word_of(partition, offset);
        const auto counted = world_.counted.find(word);
        if (counted == world_.counted.end()) {
          return word + " was lost";
        }
        const auto reported = world_.reported.find(partition);
        if (counted->second > 1 &&
            (reported == world_.reported.end() || !reported->second.contains(offset))) {
          return word + " was counted " + std::to_string(counted->second) +
                 " times and nobody said so";
        }
      }
      const auto& committed = world_.group.committed.at(partition);
      if (!committed || committed->next != kRecordsEach) {
        return to_string(partition) + " is not committed to its end";
      }
    }
    return "";
  }

  World world_;
  Fate fate_;
  Process processes_[2];
  int running_ = 0;
  bool is_troubled_ = true;
};

}  // namespace

TEST_CASE("receiver: nothing is lost, and no repeat goes unreported") {
  int crashes = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    Simulation simulation(static_cast<std::uint64_t>(seed), Mistake::kNone);
    const std::string problem = simulation.run();
    crashes += simulation.crashes;
    if (!problem.empty()) {
      FAIL("seed " << seed << ": " << problem);
    }
  }
  CHECK(crashes > kSeeds);
}

TEST_CASE("receiver: each mistake is found") {
  for (const Mistake mistake :
       {Mistake::kNoClaim, Mistake::kStartAtCommitted, Mistake::kCommitBeforeLog,
        Mistake::kCommitAfterLoss, Mistake::kSilence}) {
    int seed = 0;
    while (seed < kSeedsForMistake &&
           Simulation(static_cast<std::uint64_t>(seed), mistake).run().empty()) {
      ++seed;
    }
    INFO("mistake " << static_cast<int>(mistake) << ": not found in " << seed << " seeds");
    CHECK(seed < kSeedsForMistake);
  }
}

}  // namespace kstream
