#include "sink/sqlite.h"

#include <fmt/format.h>

#include <utility>

#include "sink/format.h"

namespace kstream {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS kstream_counts (
  stream TEXT NOT NULL, batch INTEGER NOT NULL, time TEXT NOT NULL, word TEXT NOT NULL,
  count INTEGER NOT NULL, PRIMARY KEY (stream, batch, word)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kstream_batches (
  stream TEXT NOT NULL, batch INTEGER NOT NULL, time TEXT NOT NULL, records INTEGER NOT NULL,
  words INTEGER NOT NULL, distinct_words INTEGER NOT NULL, nulls INTEGER NOT NULL,
  invalid INTEGER NOT NULL, fingerprint INTEGER NOT NULL, PRIMARY KEY (stream, batch)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kstream_offsets (
  stream TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
  next_offset INTEGER NOT NULL, batch INTEGER NOT NULL,
  PRIMARY KEY (stream, topic, partition)) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS kstream_totals AS
  SELECT stream, word, sum(count) AS count FROM kstream_counts GROUP BY stream, word;
)";

}  // namespace

Result<std::unique_ptr<SqliteSink>> SqliteSink::open(const std::string& path,
                                                     const std::string& stream) {
  std::unique_ptr<SqliteSink> sink(new SqliteSink(path, stream));
  const Status prepared = sink->prepare();
  if (!prepared.ok() && !prepared.error().is_transient) {
    return prepared.error();
  }
  return sink;
}

Status SqliteSink::prepare() {
  KS_TRY_VALUE(database, SqliteDatabase::open(path_));
  database_ = std::move(database);
  Status prepared = prepare_tables();
  if (!prepared.ok()) {
    database_.reset();  // so that the next one is prepared
  }
  return prepared;
}

Status SqliteSink::prepare_tables() {
  KS_TRY(check_columns("kstream_counts", "stream,batch,time,word,count"));
  KS_TRY(check_columns("kstream_batches",
                       "stream,batch,time,records,words,distinct_words,nulls,invalid,fingerprint"));
  KS_TRY(check_columns("kstream_offsets", "stream,topic,partition,next_offset,batch"));
  // A batch that has been committed is there after a power cut, too.
  KS_TRY_VALUE(journal, database_->prepare("PRAGMA journal_mode=WAL"));
  while (true) {
    KS_TRY_VALUE(has_row, journal.step());
    if (!has_row) {
      break;
    }
  }
  KS_TRY(database_->execute("PRAGMA synchronous=FULL"));
  KS_TRY(database_->execute(kSchema));
  KS_TRY_VALUE(find_last,
               database_->prepare("SELECT batch, fingerprint FROM kstream_batches WHERE stream = ? "
                                  "ORDER BY batch DESC LIMIT 1"));
  KS_TRY_VALUE(add_batch,
               database_->prepare("INSERT INTO kstream_batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                                  "ON CONFLICT DO NOTHING"));
  KS_TRY_VALUE(add_count, database_->prepare("INSERT INTO kstream_counts VALUES (?, ?, ?, ?, ?)"));
  KS_TRY_VALUE(set_offset,
               database_->prepare("INSERT INTO kstream_offsets VALUES (?, ?, ?, ?, ?) ON CONFLICT "
                                  "DO UPDATE SET next_offset = excluded.next_offset, "
                                  "batch = excluded.batch "
                                  "WHERE next_offset <> excluded.next_offset"));
  find_last_ = std::move(find_last);
  add_batch_ = std::move(add_batch);
  add_count_ = std::move(add_count);
  set_offset_ = std::move(set_offset);
  return {};
}

// A table that is not there yet is right.
Status SqliteSink::check_columns(const char* table, std::string_view wanted) {
  KS_TRY_VALUE(columns, database_->prepare("SELECT group_concat(name) FROM pragma_table_info(?)"));
  KS_TRY_VALUE(has_row, columns.bind(1, std::string_view(table)).step());
  const std::string found = has_row ? columns.text(0) : "";
  if (found.empty() || found == wanted) {
    return {};
  }
  return Error{
      ExitCode::kConfig,
      fmt::format("{}: table {} has the columns {}, kstream needs {}. Nothing was changed. "
                  "Rename that table, or name another file.",
                  name(), table, found, wanted)};
}

Result<std::optional<HeldBatch>> SqliteSink::last_batch() {
  if (database_ == nullptr) {
    KS_TRY(prepare());
  }
  KS_TRY_VALUE(has_row, find_last_.bind(1, stream_).step());
  if (!has_row) {
    return std::optional<HeldBatch>();
  }
  const HeldBatch last{find_last_.number(0), static_cast<std::uint64_t>(find_last_.number(1))};
  KS_TRY(find_last_.run());
  return std::optional(last);
}

Result<OffsetMap> SqliteSink::next_offsets() {
  KS_TRY_VALUE(rows, database_->prepare("SELECT topic, partition, next_offset FROM kstream_offsets "
                                        "WHERE stream = ?"));
  rows.bind(1, stream_);
  OffsetMap next;
  while (true) {
    KS_TRY_VALUE(has_row, rows.step());
    if (!has_row) {
      return next;
    }
    next[{rows.text(0), static_cast<std::int32_t>(rows.number(1))}] = rows.number(2);
  }
}

Status SqliteSink::write(const BatchResult& result) {
  KS_TRY(database_->execute("BEGIN IMMEDIATE"));
  Status written = write_rows(result);
  if (written.ok()) {
    written = database_->execute("COMMIT");
  }
  if (!written.ok() && database_->is_in_transaction()) {
    KS_TRY(database_->execute("ROLLBACK"));
  }
  return written;
}

Status SqliteSink::write_rows(const BatchResult& result) {
  const std::string time = rfc3339_time(result.plan.time_ms);
  KS_TRY(write_batch(result, time));
  const BatchId id = *result.plan.id;
  add_count_.bind(1, stream_).bind(2, id).bind(3, time);
  const auto add = [&](std::span<const WordCount> words) -> Status {
    for (const WordCount& word : words) {
      KS_TRY(add_count_.bind(4, word.word).bind(5, static_cast<std::int64_t>(word.count)).run());
    }
    return {};
  };
  const Status added = result.counts.for_each(add);
  KS_TRY(added);
  for (const auto& [partition, next] : offsets_after(result.plan)) {
    KS_TRY(set_offset_.bind(1, stream_)
               .bind(2, partition.topic)
               .bind(3, std::int64_t{partition.partition})
               .bind(4, next)
               .bind(5, id)
               .run());
  }
  return {};
}

// Its row is what of two processes only one can make.
Status SqliteSink::write_batch(const BatchResult& result, const std::string& time) {
  KS_TRY_VALUE(last, last_batch());
  const BatchId id = *result.plan.id;
  const CountTotals& totals = result.totals;
  KS_TRY(add_batch_.bind(1, stream_)
             .bind(2, id)
             .bind(3, time)
             .bind(4, static_cast<std::int64_t>(totals.records))
             .bind(5, static_cast<std::int64_t>(totals.words))
             .bind(6, static_cast<std::int64_t>(result.counts.size()))
             .bind(7, static_cast<std::int64_t>(totals.nulls))
             .bind(8, static_cast<std::int64_t>(totals.invalid))
             .bind(9, static_cast<std::int64_t>(fingerprint(result.plan)))
             .run());
  if (database_->changes() == 1 && (!last || last->id + 1 == id)) {
    return {};
  }
  return overtaken(*this, stream_, last ? last->id : 0, id);
}

}  // namespace kstream
