// Batches in an SQLite database: the counts, what the batch was, and where each partition stands,
// in one transaction.
//
// Format: docs/FORMATS.md.
// Contract: a stream, known by its name, has each batch once; the id of a batch is a primary key,
// so
//   that of two processes that write one stream the second fails.
// Errors: those of SqliteDatabase; 75 when another process has written the batch; 78 when a table
// of
//   the name has other columns.
// Thread: one at a time.
// Limits: memory for SQLite's cache (2 MiB), whatever a batch has.
#pragma once

#include <memory>
#include <string>

#include "pipeline/sink.h"
#include "sink/sqlite_database.h"

namespace kstream {

class SqliteSink final : public Sink {
 public:
  // What may pass, a full disk or a lock, is left to last_batch() to try again.
  static Result<std::unique_ptr<SqliteSink>> open(const std::string& path,
                                                  const std::string& stream);

  std::string name() const override { return "sqlite:" + path_; }
  bool wants_empty_batches() const override { return false; }
  Result<std::optional<HeldBatch>> last_batch() override;
  Result<OffsetMap> next_offsets() override;
  Status write(const BatchResult& result) override;

 private:
  SqliteSink(std::string path, std::string stream)
      : path_(std::move(path)), stream_(std::move(stream)) {}

  Status prepare();
  Status prepare_tables();
  Status check_columns(const char* table, std::string_view wanted);
  Status write_rows(const BatchResult& result);
  Status write_batch(const BatchResult& result, const std::string& time);

  const std::string path_;
  const std::string stream_;
  std::unique_ptr<SqliteDatabase> database_;  // none: not yet
  SqliteStatement find_last_;
  SqliteStatement add_batch_;
  SqliteStatement add_count_;
  SqliteStatement set_offset_;
};

}  // namespace kstream
