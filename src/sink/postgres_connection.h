// PostgreSQL, as far as a sink needs it: a connection that is made when it is needed, statements
// with values, COPY, errors as values.
//
// Contract: an error closes the connection, and with it the transaction: nothing of that is there.
//   But of a COMMIT whose answer did not come nobody knows.
// Errors: transient where waiting may help: 69 a server that is away, 74 no room there, 75 another
//   transaction in the way. Otherwise 64 what is no URL, 65 damaged tables, 77 what the server does
//   not allow, 78 a database or table that is not there or is another one, and 74. None shows a
//   password.
// Thread: one at a time.
// Limits: 3 s to connect to an address, unless the URL has another connect_timeout; twice that when
//   it fails.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct pg_conn;
struct pg_result;

namespace kstream {

// What became of an attempt, by the five characters of SQLSTATE; none: there was no answer.
Error postgres_error(std::string_view name, std::string_view state, std::string_view message);

// What a statement gave: rows and columns from 0.
class PostgresRows {
 public:
  explicit PostgresRows(pg_result* result);
  int size() const;
  bool empty() const { return size() == 0; }
  std::string text(int row, int column) const;
  std::int64_t number(int row, int column) const;
  // Rows that it has changed.
  std::int64_t changes() const;

 private:
  friend class PostgresConnection;
  std::unique_ptr<pg_result, void (*)(pg_result*)> result_;
};

class PostgresConnection {
 public:
  // Does not wait for a server that is away.
  static Result<std::unique_ptr<PostgresConnection>> create(const std::string& url);

  // True: the connection is a new one; false: it was there.
  Result<bool> connect();
  void close() { handle_.reset(); }

  // Of the connection; several statements only without values, $1, $2, ...
  Result<PostgresRows> query(const char* sql, std::initializer_list<std::string> values = {});

  // COPY ... FROM STDIN: begin, any number of parts, end.
  Status begin_copy(const char* sql);
  Status copy(std::string_view part);
  Status end_copy();

  std::string server_encoding() const;
  const std::string& name() const { return name_; }

 private:
  PostgresConnection(std::string url, std::string name)
      : url_(std::move(url)), name_(std::move(name)) {}

  Error failed(const pg_result* result);

  std::string url_;
  std::string name_;
  std::unique_ptr<pg_conn, void (*)(pg_conn*)> handle_{nullptr, nullptr};
};

}  // namespace kstream
