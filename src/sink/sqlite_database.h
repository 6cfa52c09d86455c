// SQLite, as far as a sink needs it: an open file, statements with values, errors as values.
//
// Thread: one at a time.
// Errors: transient where waiting may help: locked by another program, no room. 65 a damaged file,
//   73 one that cannot be made or opened, 77 one that may not be written, 78 one that is no
//   database; otherwise 74.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kstream {

class SqliteStatement {
 public:
  SqliteStatement() = default;

  // Values, from 1; text that is not UTF-8, or has a NUL, is stored as a blob. Valid until step().
  SqliteStatement& bind(int index, std::string_view text);
  SqliteStatement& bind(int index, std::int64_t number);

  // True: there is a row, whose columns can be read until the next call, which makes the next row
  // or begins anew. False: done.
  Result<bool> step();
  // For a statement without rows.
  Status run();

  std::int64_t number(int column) const;  // from 0
  std::string text(int column) const;

 private:
  friend class SqliteDatabase;
  class SqliteDatabase* database_ = nullptr;
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_{nullptr, nullptr};
};

class SqliteDatabase {
 public:
  // Makes the file when it is not there, but not its directory.
  static Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path);

  Result<SqliteStatement> prepare(std::string_view sql);
  // One statement or several, without values and rows.
  Status execute(const char* sql);
  // Rows that the last statement changed.
  std::int64_t changes() const;
  bool is_in_transaction() const;

  // What went wrong last.
  Error failed() const;

 private:
  explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_{nullptr, nullptr};
};

}  // namespace kstream
