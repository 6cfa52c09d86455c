// The log as its users see it: full disks, failing ones, threads, and what it refuses.
#include <atomic>
#include <thread>

#include "temporary_directory.h"
#include "wal_fixture.h"

namespace kstream::wal {
namespace {

const TopicPartition kA{"test", 0};
const TopicPartition kB{"other", 3};

// A log on a simulated disk.
struct Logged {
  explicit Logged(Options wanted = {512 * 1024, 64 * 1024, {}}) : options(wanted) {
    disk.boot(peace);
    auto made = WriteAheadLog::create(disk, clock, kLogDirectory, kStream, options);
    REQUIRE(made.ok());
    log = std::move(made).value();
  }

  Result<std::vector<LoggedBlock>> append(const TopicPartition& partition, Offset from,
                                          Offset until, std::size_t value_bytes = 0) {
    std::vector<Offset> offsets;
    for (Offset offset = from; offset < until; ++offset) {
      offsets.push_back(offset);
    }
    fill(block, partition, offsets, value_bytes);
    const BlockToLog one{&block, {partition, from, until}};
    return log->append({&one, 1});
  }

  // Everything logged so far, as one batch that is processed and acknowledged.
  void process(const std::vector<OffsetRange>& ranges) {
    const BatchPlan plan{log->last_batch() + 1, clock.now_ms++, ranges};
    REQUIRE(log->append_batch(std::nullopt, &plan).ok());
    REQUIRE(log->append_batch(plan.id, nullptr).ok());
    OffsetMap ends;
    for (const OffsetRange& range : ranges) {
      ends[range.partition] = range.until;
    }
    log->acknowledge(ends);
  }

  Result<std::unique_ptr<WriteAheadLog>> open(const char* stream = kStream) {
    log.reset();
    return WriteAheadLog::open(disk, clock, kLogDirectory, stream, options);
  }
  void reopen() {
    auto opened = open();
    if (!opened.ok()) {
      FAIL(opened.error().text);
    }
    log = std::move(opened).value();
  }
  std::string segment(std::uint64_t number) const {
    return std::string(kLogDirectory) + "/" + segment_name(number);
  }

  Options options;
  Fate peace{1, 0};
  SimulatedDisk disk;
  StoppedClock clock;
  std::unique_ptr<WriteAheadLog> log;
  RecordBlock block;
};

}  // namespace

TEST_CASE("log: what an earlier run left is there, and every segment reads alone") {
  Logged logged;
  RecordBlock& block = logged.block;
  REQUIRE(logged.append(kA, 5, 8).ok());
  REQUIRE(logged.append(kB, 0, 2).ok());
  const BatchPlan plan{1, 1000, {{kB, 0, 2}, {kA, 5, 8}, {{"silent", 0}, 0, 0}}};
  REQUIRE(logged.log->append_batch(std::nullopt, &plan).ok());
  logged.log->acknowledge({{kA, 8}, {{"silent", 0}, 77}});
  REQUIRE(logged.append(kA, 8, 9).ok());
  for (int run = 0; run < 3; ++run) {
    logged.reopen();
    CHECK(logged.log->ends() == OffsetMap{{kA, 9}, {kB, 2}});
    CHECK(logged.log->acknowledged() == OffsetMap{{kA, 8}, {{"silent", 0}, 77}});
    CHECK(logged.log->last_batch() == 1);
    CHECK(logged.log->last_time_ms() == 1000);
    const Unprocessed left = logged.log->take_unprocessed();
    REQUIRE(left.plan);
    CHECK(*left.plan == plan);
    REQUIRE(left.planned.size() == 2);
    REQUIRE(left.unplanned.size() == 1);
    REQUIRE(logged.log->read(left.planned[0], block).ok());
    CHECK(offsets_in(block) == std::vector<Offset>{5, 6, 7});
    CHECK(block.partition() == kA);
    REQUIRE(logged.log->read(left.planned[1], block).ok());
    CHECK(block.partition() == kB);
    REQUIRE(logged.log->read(left.unplanned[0], block).ok());
    CHECK(offsets_in(block) == std::vector<Offset>{8});
  }
  CHECK(logged.disk.names(kLogDirectory).value().size() == 1);
  REQUIRE(logged.log->append_batch(1, nullptr).ok());
  logged.reopen();
  const Unprocessed left = logged.log->take_unprocessed();
  CHECK_FALSE(left.plan);
  CHECK(left.planned.empty());
  CHECK(left.unplanned.size() == 1);
  CHECK(logged.log->last_batch() == 1);
}

TEST_CASE("log: a block without records moves the end, and a gap before a block is no error") {
  Logged logged;
  REQUIRE(logged.append(kA, 0, 3).ok());
  logged.block.start(kA);
  const BlockToLog gap{&logged.block, {kA, 3, 7}};
  REQUIRE(logged.log->append({&gap, 1}).ok());
  REQUIRE(logged.append(kA, 100, 101).ok());
  logged.reopen();
  CHECK(logged.log->ends() == OffsetMap{{kA, 101}});
  const Unprocessed left = logged.log->take_unprocessed();
  REQUIRE(left.unplanned.size() == 3);
  CHECK(left.unplanned[1].records == 0);
  REQUIRE(logged.log->read(left.unplanned[1], logged.block).ok());
  CHECK(logged.block.is_empty());
}

TEST_CASE("log: a block that does not fit what is there is refused, and nothing is written") {
  Logged logged;
  REQUIRE(logged.append(kA, 0, 3).ok());
  const auto repeat = logged.append(kA, 2, 5);
  REQUIRE_FALSE(repeat.ok());
  CHECK(repeat.error().code == ExitCode::kData);
  CHECK(has(repeat.error().text, "test:0 [2, 5): the log reaches to 3 already"));
  fill(logged.block, kA, {5, 9});
  const BlockToLog outside{&logged.block, {kA, 5, 9}};
  CHECK(has(logged.log->append({&outside, 1}).error().text, "not in this range"));
  const auto large = logged.append(kA, 3, 4, 500 * 1024);
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().code == ExitCode::kData);
  CHECK(has(large.error().text, "a log of 524288 bytes has 458752 for records"));
  CHECK(logged.append(kA, 3, 4).ok());
}

TEST_CASE("log: segments roll, and go when all of them is processed and acknowledged") {
  Logged logged;
  const std::vector<TopicPartition> ours{kA, kB};
  Offset next = 0;
  while (logged.disk.names(kLogDirectory).value().size() < 4) {
    REQUIRE(logged.append(kA, next, next + 10, 1000).ok());
    next += 10;
  }
  CHECK(logged.disk.content(logged.segment(1)).size() <= 64 * 1024);
  REQUIRE(logged.log->trim(ours).ok());
  CHECK(logged.disk.names(kLogDirectory).value().size() == 4);
  const BatchPlan plan{1, 1000, {{kA, 0, next}}};
  REQUIRE(logged.log->append_batch(std::nullopt, &plan).ok());
  REQUIRE(logged.log->trim(ours).ok());
  CHECK(logged.disk.has(logged.segment(1)));
  REQUIRE(logged.log->append_batch(1, nullptr).ok());
  REQUIRE(logged.log->trim(ours).ok());
  CHECK(logged.disk.has(logged.segment(1)));
  logged.log->acknowledge({{kA, next - 20}});
  REQUIRE(logged.log->trim(ours).ok());
  CHECK_FALSE(logged.disk.has(logged.segment(1)));
  CHECK(logged.disk.has(logged.segment(3)));
  REQUIRE(
      logged.log->trim({}).ok());  // a partition that is no longer ours need not be acknowledged
  CHECK(logged.disk.names(kLogDirectory).value().size() == 1);
  CHECK(logged.log->bytes() == logged.disk.bytes());
  logged.reopen();
  CHECK(logged.log->ends() == OffsetMap{{kA, next}});
  CHECK(logged.log->last_batch() == 1);
  CHECK(logged.append(kA, next, next + 1).ok());
}

TEST_CASE(
    "log: at its largest it takes no records, but goes on with batches, and gets room again") {
  Logged logged;
  Offset next = 0;
  std::vector<LoggedBlock> blocks;
  for (int round = 0; round < 3; ++round) {
    const Offset first = next;
    while (true) {
      const auto appended = logged.append(kA, next, next + 5, 1000);
      if (!appended.ok()) {
        CHECK(appended.error().is_transient);
        CHECK(appended.error().code == ExitCode::kIoError);
        CHECK(has(appended.error().text, "524288 at most"));
        break;
      }
      next += 5;
    }
    CHECK(next - first > 200);
    CHECK(logged.log->bytes() <= logged.options.bytes_max);
    logged.process({{kA, first, next}});
    REQUIRE(logged.log->trim(std::vector{kA}).ok());
    CHECK(logged.log->bytes() <= 64 * 1024);
    logged.reopen();
  }
}

TEST_CASE("log: on a full disk batches go on, nothing is half there, and room ends it") {
  for (std::uint64_t room = 100'000; room < 160'000; room += 1'777) {
    Logged full;
    full.disk.bytes_max = room;
    Offset next = 0;
    while (full.append(kA, next, next + 7, 500).ok()) {
      next += 7;
    }
    const auto refused = full.append(kA, next, next + 7, 500);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().is_transient);
    INFO("room " << room << ", up to " << next);
    for (BatchId id = 1; id < 3; ++id) {
      const BatchPlan plan{id, 1000 + id, {{kA, 0, id == 1 ? next : 0}}};
      REQUIRE(full.log->append_batch(id == 1 ? std::nullopt : std::optional(id - 1), &plan).ok());
    }
    REQUIRE(full.log->append_batch(2, nullptr).ok());
    full.log->acknowledge({{kA, next}});
    REQUIRE(full.log->trim(std::vector{kA}).ok());
    REQUIRE(full.append(kA, next, next + 7, 500).ok());
    full.disk.bytes_max = UINT64_MAX;
    full.reopen();
    CHECK(full.log->ends() == OffsetMap{{kA, next + 7}});
  }
}

TEST_CASE("log: a disk that one segment fills gets room again when all of it is done") {
  for (std::uint64_t room = 4'000'000; room < 5'300'000; room += 41'113) {
    INFO("room " << room);
    Logged full({64 * 1024 * 1024, 64 * 1024 * 1024, {}});
    full.disk.bytes_max = room;
    Offset next = 0;
    const auto append = [&] { return full.append(kA, next, next + 1, 90'000); };
    while (append().ok()) {
      ++next;
    }
    const BatchPlan plan{1, 1000, {{kA, 0, next}}};
    REQUIRE(full.log->append_batch(std::nullopt, &plan).ok());
    REQUIRE_FALSE(append().ok());
    REQUIRE(full.log->append_batch(1, nullptr).ok());
    full.log->acknowledge({{kA, next}});
    REQUIRE(full.log->trim(std::vector{kA}).ok());
    REQUIRE(append().ok());
    CHECK(full.log->bytes() < 2'000'000);
  }
}

TEST_CASE("log: what a failed write left does not come back behind a shorter group") {
  Logged logged;
  RecordBlock second;
  REQUIRE(logged.append(kB, 0, 1).ok());
  REQUIRE(logged.append(kA, 0, 1).ok());  // its topic is known
  logged.disk.write_failure = Error{ExitCode::kIoError, "full", true};
  fill(logged.block, kA, {1});
  fill(second, kA, {2});
  const BlockToLog next[] = {{&logged.block, {kA, 1, 2}}, {&second, {kA, 2, 3}}};
  const auto failed = logged.log->append(next);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().is_transient);
  REQUIRE(logged.log->append({next, 1}).ok());
  logged.reopen();
  CHECK(logged.log->ends().at(kA) == 2);
  CHECK(logged.log->take_unprocessed().unplanned.size() == 3);
}

TEST_CASE("log: after a failed write that is not for want of room every call fails") {
  Logged logged;
  logged.disk.write_failure = Error{ExitCode::kIoError, "the disk is broken"};
  CHECK_FALSE(logged.append(kA, 0, 1).ok());
  CHECK(logged.append(kA, 0, 1).error().text == "the disk is broken");
}

TEST_CASE("log: after a failed sync every call fails the same way, and nothing is synced again") {
  Logged logged;
  REQUIRE(logged.append(kA, 0, 3).ok());
  logged.disk.sync_failure = Error{ExitCode::kIoError, "the disk is broken"};
  const auto failed = logged.append(kA, 3, 4);
  REQUIRE_FALSE(failed.ok());
  CHECK_FALSE(failed.error().is_transient);
  const int syncs = logged.disk.syncs;
  const std::string before = logged.disk.content(logged.segment(1));
  CHECK(logged.append(kA, 4, 5).error().text == "the disk is broken");
  const BatchPlan plan{1, 1000, {{kA, 0, 3}}};
  CHECK(logged.log->append_batch(std::nullopt, &plan).error().text == "the disk is broken");
  CHECK(logged.log->trim({}).error().text == "the disk is broken");
  CHECK(logged.disk.syncs == syncs);
  CHECK(logged.disk.content(logged.segment(1)) == before);
  logged.reopen();
  CHECK(logged.log->ends().at(kA) >= 3);
}

TEST_CASE("log: another stream's, a missing one and one that is there already are refused") {
  Logged logged;
  REQUIRE(logged.append(kA, 0, 3).ok());
  const auto other = logged.open("00000000-4b0a-4e55-9c3b-0f5f6d1f2a3b");
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().code == ExitCode::kConfig);
  CHECK(has(other.error().text, "belongs to stream 6f1c9d1e-4b0a-4e55-9c3b-0f5f6d1f2a3b, not to"));
  CHECK(logged.open("nonsense").error().code == ExitCode::kConfig);
  const auto again =
      WriteAheadLog::create(logged.disk, logged.clock, kLogDirectory, kStream, logged.options);
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == ExitCode::kData);
  CHECK(WriteAheadLog::open(logged.disk, logged.clock, "empty", kStream, logged.options)
            .error()
            .code == ExitCode::kData);
  logged.reopen();
  CHECK(logged.log->ends().at(kA) == 3);
}

TEST_CASE("log: a first start that was cut short is taken up again, with a new stream") {
  Logged logged;
  logged.log.reset();
  constexpr const char* kOther = "11111111-4b0a-4e55-9c3b-0f5f6d1f2a3b";
  REQUIRE(
      WriteAheadLog::create(logged.disk, logged.clock, kLogDirectory, kOther, logged.options).ok());
  CHECK(logged.open(kOther).ok());
}

TEST_CASE("log: a block is read while others are written, by several threads") {
  const TemporaryDirectory directory;
  SystemFileSystem files;
  SystemClock clock;
  auto made = WriteAheadLog::create(files, clock, directory.path() + "/wal", kStream,
                                    {4 * 1024 * 1024, 512 * 1024, {}});
  REQUIRE(made.ok());
  WriteAheadLog& log = *made.value();
  constexpr int kWriters = 3;
  std::atomic<int> read = 0;
  std::atomic<bool> is_wrong = false;
  const auto write = [&](int number) {
    const TopicPartition partition{number == 0 ? "a" : "b", number};
    RecordBlock block;
    RecordBlock back;
    for (Offset from = 0; from < 600; from += 10) {
      std::vector<Offset> offsets;
      block.start(partition);
      for (Offset offset = from; offset < from + 10; ++offset) {
        offsets.push_back(offset);
        is_wrong = is_wrong || !block.append({offset, 0, std::nullopt, std::string(700, 'x')});
      }
      const BlockToLog one{&block, {partition, from, from + 10}};
      const auto logged = log.append({&one, 1});
      is_wrong = is_wrong || !logged.ok() || !log.read(logged.value()[0], back).ok() ||
                 back.content() != block.content();
      log.acknowledge({{partition, from + 10}});
      read += log.bytes() > 0 ? 1 : 0;
    }
  };
  std::vector<std::jthread> threads;
  for (int number = 0; number < kWriters; ++number) {
    threads.emplace_back(write, number);
  }
  for (BatchId id = 1; id <= 40; ++id) {
    const BatchPlan plan{id, id, {{{"a", 0}, id, id + 1}}};
    CHECK(log.append_batch(id == 1 ? std::nullopt : std::optional(id - 1), &plan).ok());
    CHECK(log.last_batch() == id);
  }
  CHECK(log.append_batch(40, nullptr).ok());
  threads.clear();
  CHECK(read == kWriters * 60);
  CHECK_FALSE(is_wrong);
  made.value().reset();
  auto opened = WriteAheadLog::open(files, clock, directory.path() + "/wal", kStream, {});
  REQUIRE(opened.ok());
  CHECK(opened.value()->ends() == OffsetMap{{{"a", 0}, 600}, {{"b", 1}, 600}, {{"b", 2}, 600}});
  CHECK(opened.value()->last_batch() == 40);
}

}  // namespace kstream::wal
