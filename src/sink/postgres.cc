#include "sink/postgres.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <utility>

#include "sink/format.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr std::size_t kSentBytes = 64 * 1024;
constexpr std::string_view kHexBegin = "\\x";

// No key has the word: an index takes texts of up to 2.7 kB. COPY brings each once.
constexpr const char* kSchema = R"(
BEGIN;
SELECT pg_advisory_xact_lock(hashtext('kstream'));
CREATE TABLE IF NOT EXISTS kstream_counts (
  stream text NOT NULL, batch bigint NOT NULL, time timestamptz NOT NULL, word text NOT NULL,
  count bigint NOT NULL);
CREATE INDEX IF NOT EXISTS kstream_counts_batch ON kstream_counts (stream, batch);
CREATE TABLE IF NOT EXISTS kstream_batches (
  stream text NOT NULL, batch bigint NOT NULL, time timestamptz NOT NULL, records bigint NOT NULL,
  words bigint NOT NULL, distinct_words bigint NOT NULL, nulls bigint NOT NULL,
  invalid bigint NOT NULL, fingerprint bigint NOT NULL, PRIMARY KEY (stream, batch));
CREATE TABLE IF NOT EXISTS kstream_offsets (
  stream text NOT NULL, topic text NOT NULL, partition integer NOT NULL,
  next_offset bigint NOT NULL, batch bigint NOT NULL, PRIMARY KEY (stream, topic, partition));
CREATE OR REPLACE VIEW kstream_totals AS
  SELECT stream, word, sum(count) AS count FROM kstream_counts GROUP BY stream, word;
COMMIT;
)";

struct Table {
  const char* name;
  std::string_view columns;
};
constexpr Table kTables[] = {
    {"kstream_counts",
     "stream text, batch bigint, time timestamp with time zone, word text, count bigint"},
    {"kstream_batches",
     "stream text, batch bigint, time timestamp with time zone, records bigint, words bigint, "
     "distinct_words bigint, nulls bigint, invalid bigint, fingerprint bigint"},
    {"kstream_offsets",
     "stream text, topic text, partition integer, next_offset bigint, batch bigint"}};

// COMMIT means on the disk, whatever the server is set to. A transaction of an earlier connection
// that was cut holds the batch's key until the server notices: it is to do so soon, and until then
// the wait is not a silent one.
constexpr const char* kBegin = R"(
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL lock_timeout = '5s';
SET LOCAL tcp_keepalives_idle = 10;
SET LOCAL tcp_keepalives_interval = 5;
SET LOCAL tcp_keepalives_count = 4;
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';
)";

// COPY's binary form: numbers with the high byte first.
template <class Number>
void append_number(std::string& out, Number number) {
  for (int shift = static_cast<int>(sizeof(Number)) * 8 - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> shift);
  }
}

void append_big(std::string& out, std::int64_t number) {
  append_number(out, std::int32_t{8});
  append_number(out, number);
}

// A timestamptz: microseconds since 2000.
std::int64_t postgres_time(BatchTime time_ms) {
  constexpr BatchTime kYear2000Ms = 946'684'800'000;
  return (time_ms - kYear2000Ms) * 1000;
}

// The length is known after the text.
bool append_text(std::string& out, std::string_view word) {
  const std::size_t begin = out.size();
  out.append(sizeof(std::int32_t), '\0');
  const bool is_changed = append_postgres_text(out, word);
  std::string length;
  append_number(length, static_cast<std::int32_t>(out.size() - begin - sizeof(std::int32_t)));
  out.replace(begin, length.size(), length);
  return is_changed;
}

}  // namespace

bool append_postgres_text(std::string& out, std::string_view word) {
  if (word.find('\0') == word.npos && !word.starts_with(kHexBegin) &&
      simdjson::validate_utf8(word)) {
    out += word;
    return false;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += kHexBegin;
  for (const char byte : word) {
    out += kDigits[static_cast<unsigned char>(byte) >> 4];
    out += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return true;
}

Result<std::unique_ptr<PostgresSink>> PostgresSink::open(const std::string& url,
                                                         const std::string& stream) {
  KS_TRY_VALUE(connection, PostgresConnection::create(url));
  return std::unique_ptr<PostgresSink>(new PostgresSink(std::move(connection), stream));
}

PostgresSink::PostgresSink(std::unique_ptr<PostgresConnection> connection,
                           const std::string& stream)
    : connection_(std::move(connection)) {
  append_postgres_text(stream_, stream);
}

Status PostgresSink::prepare() {
  KS_TRY_VALUE(is_new, connection_->connect());
  Status prepared = is_new ? prepare_tables() : Status();
  if (!prepared.ok()) {
    connection_->close();  // so that the next one is prepared
  }
  return prepared;
}

Status PostgresSink::prepare_tables() {
  if (const std::string encoding = connection_->server_encoding(); encoding != "UTF8") {
    return Error{ExitCode::kConfig,
                 fmt::format("{}: the database's encoding is {}, which does not hold every word. "
                             "Nothing was changed. Name one that was made with ENCODING 'UTF8'.",
                             name(), encoding)};
  }
  bool are_there = true;
  for (const Table& table : kTables) {
    KS_TRY_VALUE(is_there, check_columns(table.name, table.columns));
    are_there = are_there && is_there;
  }
  // A user may be allowed to write tables and not to make them.
  if (!are_there) {
    KS_TRY(connection_->query(kSchema));
  }
  return {};
}

// False: there is no such table.
Result<bool> PostgresSink::check_columns(const char* table, std::string_view wanted) {
  KS_TRY_VALUE(columns,
               connection_->query("SELECT string_agg(attname || ' ' || format_type(atttypid, NULL),"
                                  " ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = "
                                  "to_regclass($1) AND attnum > 0 AND NOT attisdropped",
                                  {table}));
  const std::string found = columns.text(0, 0);
  if (found.empty() || found == wanted) {
    return !found.empty();
  }
  return Error{
      ExitCode::kConfig,
      fmt::format("{}: table {} has the columns {}; kstream needs {}. Nothing was changed. Rename "
                  "that table, or give kstream a schema of its own: see search_path.",
                  name(), table, found, wanted)};
}

Result<std::optional<HeldBatch>> PostgresSink::last_batch() {
  KS_TRY(prepare());
  KS_TRY_VALUE(rows, connection_->query("SELECT batch, fingerprint FROM kstream_batches WHERE "
                                        "stream = $1 ORDER BY batch DESC LIMIT 1",
                                        {stream_}));
  if (rows.empty()) {
    return std::optional<HeldBatch>();
  }
  return std::optional(HeldBatch{rows.number(0, 0), static_cast<std::uint64_t>(rows.number(0, 1))});
}

Result<OffsetMap> PostgresSink::next_offsets() {
  KS_TRY_VALUE(rows, connection_->query("SELECT topic, partition, next_offset FROM kstream_offsets "
                                        "WHERE stream = $1",
                                        {stream_}));
  OffsetMap next;
  for (int row = 0; row < rows.size(); ++row) {
    next[{rows.text(row, 0), static_cast<std::int32_t>(rows.number(row, 1))}] = rows.number(row, 2);
  }
  return next;
}

Status PostgresSink::write(const BatchResult& result) {
  KS_TRY_VALUE(last, last_batch());
  const BatchId id = *result.plan.id;
  if (last && last->id == id && last->fingerprint == fingerprint(result.plan)) {
    return {};  // an earlier call wrote it, and the answer to its COMMIT was lost
  }
  if (last && last->id + 1 != id) {
    return overtaken(*this, stream_, last->id, id);
  }
  Status written = write_rows(result);
  if (!written.ok()) {
    connection_->close();  // and with it the transaction
  }
  return written;
}

Status PostgresSink::write_rows(const BatchResult& result) {
  KS_TRY(connection_->query(kBegin));
  KS_TRY(write_batch(result));
  KS_TRY(write_counts(result));
  KS_TRY(write_offsets(result));
  KS_TRY(connection_->query("COMMIT"));
  return {};
}

// Its row is what of two processes only one can make: the other one waits here until the first has
// ended its transaction.
Status PostgresSink::write_batch(const BatchResult& result) {
  const CountTotals& totals = result.totals;
  const BatchId id = *result.plan.id;
  KS_TRY_VALUE(added, connection_->query(
                          "INSERT INTO kstream_batches VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                          "ON CONFLICT (stream, batch) DO NOTHING",
                          {stream_, fmt::to_string(id), rfc3339_time(result.plan.time_ms),
                           fmt::to_string(totals.records), fmt::to_string(totals.words),
                           fmt::to_string(result.counts.size()), fmt::to_string(totals.nulls),
                           fmt::to_string(totals.invalid),
                           fmt::to_string(static_cast<std::int64_t>(fingerprint(result.plan)))}));
  if (added.changes() == 1) {
    return {};
  }
  return Error{ExitCode::kTryAgain,
               fmt::format("{}: batch {} of stream '{}' came there this moment. It is looked at "
                           "before anything is written.",
                           name(), id, stream_),
               true};
}

Status PostgresSink::write_counts(const BatchResult& result) {
  // The same of each row: five columns, the first three of them.
  std::string row_begin;
  append_number(row_begin, std::int16_t{5});
  append_number(row_begin, static_cast<std::int32_t>(stream_.size()));
  row_begin += stream_;
  append_big(row_begin, *result.plan.id);
  append_big(row_begin, postgres_time(result.plan.time_ms));

  KS_TRY(
      connection_->begin_copy("COPY kstream_counts (stream, batch, time, word, count) FROM STDIN "
                              "(FORMAT binary)"));
  rows_.assign("PGCOPY\n\377\r\n\0", 11);
  rows_.append(8, '\0');  // no flags, nothing more in the head
  std::uint64_t changed = 0;
  const auto add = [&](std::span<const WordCount> words) -> Status {
    for (const WordCount& word : words) {
      rows_ += row_begin;
      changed += append_text(rows_, word.word) ? 1 : 0;
      append_big(rows_, static_cast<std::int64_t>(word.count));
      if (rows_.size() >= kSentBytes) {
        KS_TRY(connection_->copy(rows_));
        rows_.clear();
      }
    }
    return {};
  };
  const Status added = result.counts.for_each(add);
  KS_TRY(added);
  append_number(rows_, std::int16_t{-1});
  KS_TRY(connection_->copy(rows_));
  KS_TRY(connection_->end_copy());
  if (changed > 0) {
    log::info(
        "batch {}: {} words that PostgreSQL cannot hold are there as \\x and hexadecimal "
        "digits",
        *result.plan.id, changed);
  }
  return {};
}

// In one statement, however many partitions there are.
Status PostgresSink::write_offsets(const BatchResult& result) {
  std::string topics;
  std::string partitions;
  std::string offsets;
  for (const auto& [partition, next] : offsets_after(result.plan)) {
    const char* comma = topics.empty() ? "" : ",";
    topics += fmt::format("{}\"{}\"", comma, partition.topic);  // letters, digits, ._-
    partitions += fmt::format("{}{}", comma, partition.partition);
    offsets += fmt::format("{}{}", comma, next);
  }
  KS_TRY(connection_->query(
      "INSERT INTO kstream_offsets SELECT $1, topic, partition, next_offset, $2 "
      "FROM unnest($3::text[], $4::integer[], $5::bigint[]) AS new (topic, partition, next_offset) "
      "ON CONFLICT (stream, topic, partition) "
      "DO UPDATE SET next_offset = excluded.next_offset, batch = excluded.batch "
      "WHERE kstream_offsets.next_offset <> excluded.next_offset",
      {stream_, fmt::to_string(*result.plan.id), fmt::format("{{{}}}", topics),
       fmt::format("{{{}}}", partitions), fmt::format("{{{}}}", offsets)}));
  return {};
}

}  // namespace kstream
