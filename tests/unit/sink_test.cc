#include <string>
#include <vector>

#include "catch.h"
#include "counted_words.h"
#include "simulated_disk.h"
#include "sink/batch_files.h"
#include "sink/sqlite.h"
#include "temporary_directory.h"

namespace kstream {
namespace {

constexpr const char* kDirectory = "out";

using Words = std::vector<std::pair<std::string, std::uint64_t>>;

// Batch `id` of a stream; the same for the same id.
struct Batch {
  explicit Batch(BatchId id)
      : plan{id, id * 1000, {{{"test", 0}, id * 10, id * 10 + 10}, {{"test", 1}, 5, 5}}},
        words(Words{{"a", static_cast<std::uint64_t>(id)}, {std::string("b\0c", 3), 2}, {"", 1}}) {}

  BatchResult result() const {
    return {plan, std::chrono::milliseconds(1000), {10, 0, 0, 3}, words};
  }

  BatchPlan plan;
  ListedWords words;
};

// After it, with the partition that no batch has had a record of.
OffsetMap after(BatchId id) {
  return {{{"test", 0}, id * 10 + 10}, {{"test", 1}, 5}};
}

std::string file_name(BatchId id, const char* suffix) {
  std::string digits = std::to_string(id);
  digits.insert(0, 20 - digits.size(), '0');
  return std::string(kDirectory) + "/batch-" + digits + suffix;
}

BatchFiles::Options files_of(const std::string& stream, Compression compression) {
  return {kDirectory,
          stream,
          {OutputFormat::kTsv, Order::kWord, {}, false, false},
          compression,
          1 << 20};
}

// A file for SQLite, gone at the end.
class Database {
 public:
  std::string file() const { return directory_.path() + "/counts.db"; }

 private:
  TemporaryDirectory directory_;
};

std::unique_ptr<SqliteSink> open(const Database& at, const std::string& stream) {
  auto sink = SqliteSink::open(at.file(), stream);
  REQUIRE(sink.ok());
  return std::move(sink).value();
}

std::string answer(const Database& at, std::string_view sql) {
  auto database = SqliteDatabase::open(at.file());
  REQUIRE(database.ok());
  auto statement = database.value()->prepare(sql);
  REQUIRE(statement.ok());
  REQUIRE(statement.value().step().value());
  return statement.value().text(0);
}

}  // namespace

TEST_CASE("files: a crash at any step leaves whole batches, and the sink knows the last one") {
  ScratchSpace space("/var/tmp", 0);
  for (const Compression compression :
       {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    const char* suffix = compression == Compression::kNone   ? ".tsv"
                         : compression == Compression::kGzip ? ".tsv.gz"
                                                             : ".tsv.zst";
    std::vector<std::string> wanted;
    int points = 1;
    for (int crash_at = 0; crash_at <= points; ++crash_at) {
      INFO("crash at " << crash_at << " of " << points);
      Fate fate(7, 0);
      fate.crash_at = crash_at;  // 0: never
      SimulatedDisk disk;
      disk.boot(fate);
      const auto run = [&] {
        auto sink = BatchFiles::open(files_of("test", compression), disk, space);
        REQUIRE(sink.ok());
        const std::optional<HeldBatch> last = sink.value()->last_batch().value();
        const BatchId held = last ? last->id : 0;
        if (held > 0) {
          const Batch batch(held);
          CHECK(last->fingerprint.value_or(fingerprint(batch.plan)) == fingerprint(batch.plan));
          CHECK(sink.value()->next_offsets().value() ==
                (last->fingerprint ? after(held) : OffsetMap()));
        }
        for (BatchId id = 1; id <= held; ++id) {
          CHECK(disk.read(file_name(id, suffix)).value().has_value());
        }
        for (BatchId id = held + 1; id <= 3; ++id) {
          // Not inside REQUIRE, which would take the crash for a failure.
          const Status written = sink.value()->write(Batch(id).result());
          REQUIRE(written.ok());
        }
      };
      try {
        run();
      } catch (const Crash&) {
        fate.crash_at = 0;
        disk.crash();
        run();
      }
      points = std::max(points, fate.points);
      for (BatchId id = 1; id <= 3; ++id) {
        const auto content = disk.read(file_name(id, suffix)).value();
        REQUIRE(content.has_value());
        if (crash_at == 0) {
          wanted.push_back(*content);
        }
        CHECK(*content == wanted[static_cast<std::size_t>(id) - 1]);
        CHECK_FALSE(disk.read(file_name(id, suffix) + ".tmp").value().has_value());
      }
      CHECK(kDirectory + ("/" + *disk.read("out/latest").value()) == file_name(3, suffix));
    }
    CHECK(points > 30);
    if (compression == Compression::kNone) {
      CHECK(wanted[1] ==
            "1970-01-01T00:00:02Z\t\t1\n1970-01-01T00:00:02Z\ta\t2\n"
            "1970-01-01T00:00:02Z\tb\\x00c\t2\n");
    }
  }
}

TEST_CASE("files: another stream's directory is refused, and one whose note is gone or damaged") {
  ScratchSpace space("/var/tmp", 0);
  Fate fate(7, 0);
  SimulatedDisk disk;
  disk.boot(fate);
  const auto code_of_open = [&](const std::string& stream) {
    const auto sink = BatchFiles::open(files_of(stream, Compression::kNone), disk, space);
    return sink.ok() ? ExitCode::kOk : sink.error().code;
  };
  REQUIRE(code_of_open("test") == ExitCode::kOk);
  CHECK(code_of_open("other") == ExitCode::kConfig);
  for (const char* line : {"test 0", "test 0 1 2", "test x 1", "test 0 -1", " 0 1", "test  1"}) {
    INFO(line);
    REQUIRE(disk.write_synced("out/kstream-stream",
                              std::string("kstream-files 1\ntest\n1\n0\n") + line + "\n")
                .ok());
    CHECK(code_of_open("test") == ExitCode::kData);
  }
  REQUIRE(disk.remove("out/kstream-stream").ok());
  CHECK(code_of_open("test") == ExitCode::kOk);
  REQUIRE(disk.write_synced("out/kstream-stream", "something else\n").ok());
  CHECK(code_of_open("test") == ExitCode::kData);
  REQUIRE(disk.remove("out/kstream-stream").ok());
  CHECK(code_of_open("test") == ExitCode::kOk);
  REQUIRE(disk.remove("out/kstream-stream").ok());
  REQUIRE(disk.write_synced(file_name(5, ".json"), "{}").ok());
  CHECK(code_of_open("test") == ExitCode::kConfig);
}

TEST_CASE("sqlite: words are what they are, NUL and bytes too; totals and offsets follow") {
  const Database at;
  auto sink = open(at, "test");
  CHECK_FALSE(sink->last_batch().value());
  for (const BatchId id : {1, 2}) {
    REQUIRE(sink->write(Batch(id).result()).ok());
  }
  CHECK(sink->last_batch().value()->id == 2);
  CHECK(sink->last_batch().value()->fingerprint == fingerprint(Batch(2).plan));
  CHECK(sink->next_offsets().value() == after(2));
  CHECK(answer(at,
               "SELECT group_concat(hex(word) || '=' || count, ' ') FROM "
               "(SELECT * FROM kstream_totals ORDER BY hex(word))") == "=2 61=3 620063=4");
  CHECK(answer(at,
               "SELECT group_concat(typeof(word)) FROM (SELECT DISTINCT word FROM "
               "kstream_counts ORDER BY hex(word))") == "text,text,blob");
  CHECK(answer(at,
               "SELECT stream || topic || partition || ' ' || next_offset || ' ' || batch FROM "
               "kstream_offsets") == "testtest0 30 2");
  CHECK(answer(at,
               "SELECT batch || ' ' || time || ' ' || records || ' ' || words FROM "
               "kstream_batches ORDER BY batch") == "1 1970-01-01T00:00:01Z 10 3");
  // Another stream in the same file.
  CHECK_FALSE(open(at, "other")->last_batch().value());
  CHECK(open(at, "other")->next_offsets().value().empty());
  CHECK(open(at, "test")->last_batch().value()->id == 2);
}

TEST_CASE("sqlite: of two that write one stream the second fails with 75, and nothing is mixed") {
  const Database at;
  auto first = open(at, "test");
  auto second = open(at, "test");
  REQUIRE(first->write(Batch(1).result()).ok());
  for (const BatchId id : {1, 3}) {  // the same batch, and one behind a hole
    const Status written = second->write(Batch(id).result());
    REQUIRE_FALSE(written.ok());
    CHECK(written.error().code == ExitCode::kTryAgain);
    CHECK_FALSE(written.error().is_transient);
    CHECK(written.error().text.find("holds batch 1") != std::string::npos);
  }
  CHECK(answer(at, "SELECT count(*) FROM kstream_counts") == "3");
  REQUIRE(second->write(Batch(2).result()).ok());
}

TEST_CASE("sqlite: a batch of which a row fails is not there at all") {
  const Database at;
  auto sink = open(at, "test");
  Batch batch(1);
  batch.words = ListedWords({{"a", 1}, {"b", 1}, {"a", 1}});
  CHECK_FALSE(sink->write(batch.result()).ok());
  CHECK(answer(at, "SELECT count(*) FROM kstream_counts") == "0");
  CHECK(answer(at, "SELECT count(*) FROM kstream_batches") == "0");
  REQUIRE(sink->write(Batch(1).result()).ok());
}

}  // namespace kstream
