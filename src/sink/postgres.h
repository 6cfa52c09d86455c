// Batches in a PostgreSQL database: the counts, what the batch was, and where each partition
// stands, in one transaction.
//
// Format: docs/FORMATS.md.
// Contract: a stream, known by its name, has each batch once; the id of a batch is a primary key,
//   so that of two processes that write one stream the second fails. A batch whose COMMIT got no
//   answer is looked for before it is written again.
// Errors: those of PostgresConnection; 75 when another process has written the batch; 78 when a
//   table of the name has other columns, or the database an encoding that does not hold all words.
// Thread: one at a time.
// Limits: memory for 64 KiB of rows, more by one row at most; words below 500 MiB.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pipeline/sink.h"
#include "sink/postgres_connection.h"

namespace kstream {

// Appends the word as PostgreSQL's text can hold it: as it is, or, if it has a NUL, is not UTF-8 or
// begins with "\x", as "\x" and its bytes in hexadecimal. No two words become one. True: it was
// changed.
bool append_postgres_text(std::string& out, std::string_view word);

class PostgresSink final : public Sink {
 public:
  // The server is asked later.
  static Result<std::unique_ptr<PostgresSink>> open(const std::string& url,
                                                    const std::string& stream);

  std::string name() const override { return connection_->name(); }
  bool wants_empty_batches() const override { return false; }
  Result<std::optional<HeldBatch>> last_batch() override;
  Result<OffsetMap> next_offsets() override;
  Status write(const BatchResult& result) override;

 private:
  PostgresSink(std::unique_ptr<PostgresConnection> connection, const std::string& stream);

  // There are a connection and tables behind it.
  Status prepare();
  Status prepare_tables();
  Result<bool> check_columns(const char* table, std::string_view wanted);
  Status write_rows(const BatchResult& result);
  Status write_batch(const BatchResult& result);
  Status write_counts(const BatchResult& result);
  Status write_offsets(const BatchResult& result);

  std::unique_ptr<PostgresConnection> connection_;
  std::string stream_;  // as the tables have it
  std::string rows_;    // that are to be sent
};

}  // namespace kstream
