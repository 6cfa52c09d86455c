#include "pipeline/batch_loop.h"

#include <map>
#include <string>
#include <thread>

#include "catch.h"
#include "counted_words.h"

namespace kstream {
namespace {

using std::chrono::milliseconds;

// Time that passes only by waiting.
class ManualClock final : public Clock {
 public:
  std::int64_t wall_ms() override { return now_ms; }
  std::int64_t steady_ms() override { return now_ms; }
  void wait(milliseconds duration, const std::stop_token&) override { now_ms += duration.count(); }
  std::int64_t now_ms = 10'500;
};

// One partition whose lines are known; a plan takes `lines_per_batch` of them.
class LinesSource final : public Source {
 public:
  explicit LinesSource(std::vector<std::string> lines) : lines_(std::move(lines)) {}

  Result<std::optional<BatchPlan>> plan(BatchTime time, const Stop&) override {
    if (transient_failures > 0) {
      --transient_failures;
      return Error{ExitCode::kUnavailable, "brokers: away.", true};
    }
    if (next_ == static_cast<Offset>(lines_.size()) && ends) {
      return std::optional<BatchPlan>();
    }
    const Offset until =
        std::min<Offset>(next_ + lines_per_batch, static_cast<Offset>(lines_.size()));
    BatchPlan plan{std::nullopt, time, {{kPartition, next_, until}}};
    if (until > next_) {
      plan.id = id_ + 1;
    }
    return std::optional(plan);
  }

  Status read(const BatchPlan& plan, BlockExchange& blocks, const std::stop_token&) override {
    ++reads;
    for (Offset i = plan.ranges[0].from; i < plan.ranges[0].until; ++i) {
      BlockPtr block = blocks.acquire();
      block->start(kPartition);
      block->append({i, 0, std::nullopt, lines_[static_cast<std::size_t>(i)]});
      blocks.submit(std::move(block));
    }
    return read_error ? Status(*read_error) : Status();
  }

  Status complete(const BatchPlan& plan) override {
    next_ = plan.ranges[0].until;
    id_ = plan.id.value_or(id_);
    completed.push_back(plan.time_ms);
    return {};
  }

  Status settle() override {
    ++settled;
    return {};
  }

  int settled = 0;
  int reads = 0;
  Offset lines_per_batch = 2;
  bool ends = true;
  int transient_failures = 0;
  std::optional<Error> read_error;
  std::vector<BatchTime> completed;

 private:
  const TopicPartition kPartition{"test", 0};
  const std::vector<std::string> lines_;
  Offset next_ = 0;
  BatchId id_ = 0;
};

class MemorySink final : public Sink {
 public:
  std::string name() const override { return "the sink"; }
  bool wants_empty_batches() const override { return wants_empty; }
  Result<std::optional<HeldBatch>> last_batch() override {
    if (away_for > 0) {
      --away_for;
      return Error{ExitCode::kUnavailable, "away", true};
    }
    return last ? std::optional(HeldBatch{*last, last_fingerprint}) : std::nullopt;
  }
  Status write(const BatchResult& result) override {
    if (error && failures_left != 0) {
      --failures_left;
      if (failures_left == 0) {
        stopped_after_failures.request_stop();
      }
      return *error;
    }
    ids.push_back(result.plan.id.value_or(0));
    times.push_back(result.plan.time_ms);
    for (const auto& [word, count] : map_of(result.counts)) {
      words[word] += count;
    }
    return {};
  }
  bool wants_empty = true;
  std::optional<BatchId> last;
  std::optional<std::uint64_t> last_fingerprint;
  int away_for = 0;  // so many questions
  std::optional<Error> error;
  int failures_left = -1;  // below 0: it fails for ever
  std::stop_source stopped_after_failures;
  std::vector<BatchId> ids;
  std::vector<BatchTime> times;
  std::map<std::string, std::uint64_t> words;
};

std::vector<Counter> two_counters(OnInvalid on_invalid) {
  CountOptions options;
  options.on_invalid = on_invalid;
  std::vector<Counter> made;
  made.emplace_back(options, 7);
  made.emplace_back(options, 7);
  return made;
}

// A loop with two counting threads.
struct Rig {
  explicit Rig(std::vector<std::string> lines, BatchLoopOptions options = {},
               OnInvalid on_invalid = OnInvalid::kReplace)
      : source(std::move(lines)),
        counters(two_counters(on_invalid)),
        loop(source, {&sink}, counters, blocks, clock, options) {
    for (Counter& counter : counters) {
      threads.emplace_back([&] {
        while (auto block = blocks.take()) {
          counter.count(**block);
          blocks.recycle(*std::move(block));
        }
      });
    }
  }
  ~Rig() {
    blocks.close();
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  int steps() {
    int count = 0;
    while (loop.step(stop).value()) {
      ++count;
    }
    return count;
  }

  ManualClock clock;
  LinesSource source;
  MemorySink sink;
  BlockExchange blocks{3};
  std::vector<Counter> counters;
  Stop stop;
  BatchLoop loop;
  std::vector<std::thread> threads;
};

BatchLoopOptions options(bool waits_for_boundaries, std::optional<std::int64_t> batches_max,
                         std::optional<milliseconds> give_up_after = std::nullopt) {
  BatchLoopOptions made;
  made.waits_for_boundaries = waits_for_boundaries;
  made.batches_max = batches_max;
  made.give_up_after = give_up_after;
  return made;
}

}  // namespace

TEST_CASE("batch loop: every line is counted once, over all batches and threads") {
  std::vector<std::string> lines(1001, "a b a");
  Rig rig(lines);
  rig.source.lines_per_batch = 100;
  rig.steps();
  CHECK(rig.sink.words == std::map<std::string, std::uint64_t>{{"a", 2002}, {"b", 1001}});
  CHECK(rig.loop.batches() == 11);
  CHECK(rig.loop.totals().records == 1001);
  CHECK(rig.loop.totals().words == 3003);
}

TEST_CASE("batch loop: a record that is not to be counted keeps its batch from every sink") {
  Rig rig({"a", "b", "c\xFF", "d", "e", "f"}, {}, OnInvalid::kFail);
  rig.source.lines_per_batch = 2;
  CHECK(rig.loop.step(rig.stop).value());
  for (int i = 0; i < 2; ++i) {  // as it is each time it is tried
    const Result<bool> step = rig.loop.step(rig.stop);
    REQUIRE_FALSE(step.ok());
    CHECK(step.error().code == ExitCode::kData);
    CHECK_FALSE(step.error().is_transient);
  }
  CHECK(rig.sink.ids == std::vector<BatchId>{1});
  CHECK(rig.source.completed.size() == 1);
  CHECK(rig.loop.totals().records == 2);
}

TEST_CASE("batch loop: batches happen at boundaries and are numbered from 1") {
  Rig rig({"a", "b", "c"});
  rig.steps();
  CHECK(rig.sink.ids == std::vector<BatchId>{1, 2});
  CHECK(rig.sink.times == std::vector<BatchTime>{12'000, 14'000});
  CHECK(rig.source.completed == rig.sink.times);
}

TEST_CASE("batch loop: a bounded run does not wait, and its times increase all the same") {
  Rig rig({"a", "b", "c"}, options(false, std::nullopt));
  rig.steps();
  CHECK(rig.sink.times == std::vector<BatchTime>{10'500, 10'501});
}

TEST_CASE("batch loop: stops after the batches that are wanted") {
  Rig rig({"a", "b", "c"}, options(true, 1));
  CHECK(rig.steps() == 1);
  CHECK(rig.sink.ids == std::vector<BatchId>{1});
}

TEST_CASE("batch loop: an empty batch reaches only the sinks that want it") {
  Rig rig({}, options(true, 3));
  rig.source.ends = false;
  rig.sink.wants_empty = false;
  rig.steps();
  CHECK(rig.sink.ids.empty());
  CHECK(rig.source.completed.size() == 3);
}

TEST_CASE("batch loop: what could not be read or written is not completed") {
  Rig rig({"a"});
  rig.source.read_error = Error{ExitCode::kData, "gone"};
  CHECK(rig.loop.step(rig.stop).error().code == ExitCode::kData);
  CHECK(rig.sink.ids.empty());
  rig.source.read_error.reset();
  rig.sink.error = Error{ExitCode::kIoError, "full"};
  CHECK(rig.loop.step(rig.stop).error().code == ExitCode::kIoError);
  CHECK(rig.source.completed.empty());
  rig.sink.error.reset();
  CHECK(rig.loop.step(rig.stop).ok());
  CHECK(rig.sink.words == std::map<std::string, std::uint64_t>{{"a", 1}});
}

TEST_CASE("batch loop: a daemon waits for brokers, a bounded run for as long as it was told") {
  Rig daemon({"a"});
  daemon.source.transient_failures = 1000;
  daemon.steps();
  CHECK(daemon.sink.words.size() == 1);

  Rig bounded({"a"}, options(false, std::nullopt, milliseconds(5000)));
  bounded.source.transient_failures = 1000;
  Result<bool> step = true;
  while ((step = bounded.loop.step(bounded.stop)).ok()) {
  }
  CHECK(step.error().code == ExitCode::kUnavailable);
  CHECK(bounded.clock.now_ms - 10'500 == 5000);
}

TEST_CASE("batch loop: a sink that is away at the start is waited for in the same way") {
  Rig daemon({"a"});
  daemon.sink.away_for = 1000;
  CHECK(daemon.loop.start(daemon.stop).value());
  CHECK(daemon.sink.away_for == 0);

  Rig bounded({"a"}, options(false, std::nullopt, milliseconds(5000)));
  bounded.sink.away_for = 1000;
  const auto started = bounded.loop.start(bounded.stop);
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().code == ExitCode::kUnavailable);
  CHECK(bounded.sink.away_for == 1000 - 11);

  std::stop_source drain;
  drain.request_stop();
  Rig stopped({"a"});
  stopped.stop.drain = drain.get_token();
  stopped.sink.away_for = 1000;
  CHECK_FALSE(stopped.loop.start(stopped.stop).value());
}

TEST_CASE("batch loop: a requested drain begins no further batch") {
  std::stop_source drain;
  Rig rig({"a", "b", "c"});
  rig.stop.drain = drain.get_token();
  CHECK(rig.loop.step(rig.stop).value());
  drain.request_stop();
  CHECK_FALSE(rig.loop.step(rig.stop).value());
  CHECK(rig.sink.ids == std::vector<BatchId>{1});
}

TEST_CASE("batch loop: a sink that holds the batch already does not get it again") {
  Rig rig({"a", "b", "c"});
  rig.sink.last = 1;
  REQUIRE(rig.loop.start(rig.stop).ok());
  rig.steps();
  CHECK(rig.sink.ids == std::vector<BatchId>{2});
  CHECK(rig.source.completed.size() == 2);
}

TEST_CASE("batch loop: a batch of the same id that is another one is refused") {
  Rig rig({"a", "b", "c"});
  rig.sink.last = 1;
  rig.sink.last_fingerprint = 7;
  REQUIRE(rig.loop.start(rig.stop).ok());
  const auto step = rig.loop.step(rig.stop);
  REQUIRE_FALSE(step.ok());
  CHECK(step.error().code == ExitCode::kData);
  CHECK(step.error().text.find("with other ranges") != std::string::npos);
  CHECK(rig.sink.ids.empty());
}

TEST_CASE("batch loop: a sink that is ahead of the source, or behind it, is refused") {
  for (const BatchId last : {2, 7}) {
    Rig rig({"a", "b", "c"});
    rig.sink.last = last;
    REQUIRE(rig.loop.start(rig.stop).ok());
    const auto step = rig.loop.step(rig.stop);
    REQUIRE_FALSE(step.ok());
    CHECK(step.error().code == ExitCode::kData);
    CHECK(step.error().text.find("batch 1 is next") != std::string::npos);
    CHECK(step.error().text.find(std::to_string(last)) != std::string::npos);
    CHECK(rig.sink.ids.empty());
  }
}

TEST_CASE("batch loop: a sink that fails for a while gets the same batch later") {
  Rig rig({"a"});
  rig.sink.error = Error{ExitCode::kIoError, "full", true};
  rig.sink.failures_left = 3;
  CHECK(rig.loop.step(rig.stop).value());
  CHECK(rig.sink.failures_left == 0);
  CHECK(rig.source.reads == 1);
  rig.steps();
  CHECK(rig.sink.ids == std::vector<BatchId>{1});
  CHECK(rig.sink.words == std::map<std::string, std::uint64_t>{{"a", 1}});
}

TEST_CASE("batch loop: stopped before the batch in hand is written, it says so") {
  Rig rig({"a"});
  rig.sink.error = Error{ExitCode::kIoError, "full", true};
  rig.sink.failures_left = 2;
  rig.stop.drain = rig.sink.stopped_after_failures.get_token();
  const auto step = rig.loop.step(rig.stop);
  REQUIRE_FALSE(step.ok());
  CHECK(step.error().code == ExitCode::kTryAgain);
  CHECK(step.error().text.find("batch 1") == 0);
  CHECK(step.error().text.find("full") != std::string::npos);
  CHECK(rig.source.completed.empty());
}

TEST_CASE("batch loop: what was completed is settled while there is time, and at the end") {
  Rig rig({"a", "b", "c"});
  rig.steps();
  CHECK(rig.source.settled == 4);  // before each of three boundaries, and at the end
  Rig bounded({"a", "b", "c"}, options(false, std::nullopt));
  bounded.steps();
  CHECK(bounded.source.settled == 1);
}

TEST_CASE("batch loop: a batch of an earlier run is read at once, the next at a later boundary") {
  BatchLoopOptions after = options(true, std::nullopt);
  after.last_time_ms = 14'000;
  after.is_first_planned = true;
  Rig rig({"a", "b", "c"}, after);
  rig.steps();
  CHECK(rig.sink.times == std::vector<BatchTime>{14'000, 16'000});
}

}  // namespace kstream
