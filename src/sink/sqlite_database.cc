#include "sink/sqlite_database.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace kstream {
namespace {

constexpr int kBusyWaitMs = 5'000;

// SQLite says so itself only where it writes its own pages.
bool is_disk_full(sqlite3* handle, int code) {
  const int cause = handle == nullptr ? 0 : sqlite3_system_errno(handle);
  const bool is_input_output = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  return code == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE ||
         (is_input_output && (cause == ENOSPC || cause == EDQUOT));
}

}  // namespace

SqliteStatement& SqliteStatement::bind(int index, std::string_view text) {
  // SQLite's functions take a NUL for the end of a text, and what is no UTF-8 for whatever it is.
  const bool is_text = text.find('\0') == text.npos && simdjson::validate_utf8(text);
  const char* const data = text.empty() ? "" : text.data();  // null would be NULL
  if (is_text) {
    sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  } else {
    sqlite3_bind_blob64(statement_.get(), index, data, text.size(), SQLITE_STATIC);
  }
  return *this;
}

SqliteStatement& SqliteStatement::bind(int index, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), index, number);
  return *this;
}

Result<bool> SqliteStatement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) {
    return true;
  }
  if (result == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  Error error = database_->failed();
  sqlite3_reset(statement_.get());
  return error;
}

Status SqliteStatement::run() {
  KS_TRY_VALUE(has_row, step());
  KS_CHECK(!has_row);
  return {};
}

std::int64_t SqliteStatement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string SqliteStatement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), length);
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::string& path) {
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path));
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  database->handle_ = {handle, sqlite3_close};
  if (opened != SQLITE_OK) {
    return database->failed();
  }
  sqlite3_busy_timeout(handle, kBusyWaitMs);
  return database;
}

Result<SqliteStatement> SqliteDatabase::prepare(std::string_view sql) {
  SqliteStatement statement;
  statement.database_ = this;
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &prepared, nullptr) != SQLITE_OK) {
    return failed();
  }
  statement.statement_ = {prepared, sqlite3_finalize};
  return statement;
}

Status SqliteDatabase::execute(const char* sql) {
  return sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK
             ? Status()
             : Status(failed());
}

std::int64_t SqliteDatabase::changes() const {
  return sqlite3_changes64(handle_.get());
}

bool SqliteDatabase::is_in_transaction() const {
  return sqlite3_get_autocommit(handle_.get()) == 0;
}

Error SqliteDatabase::failed() const {
  const int code = handle_ ? sqlite3_extended_errcode(handle_.get()) : SQLITE_NOMEM;
  const char* why = handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory";
  const auto error = [&](ExitCode exit_code, const char* what_to_do, bool is_transient = false) {
    return Error{exit_code,
                 fmt::format("sqlite:{}: {} (code {}). {}", path_, why, code, what_to_do),
                 is_transient};
  };
  if (is_disk_full(handle_.get(), code)) {
    return error(ExitCode::kIoError, "The batch in hand is not there. Make room on the disk.",
                 true);
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return error(ExitCode::kTryAgain,
                   "Another program holds it. The batch in hand is not there. End that one's "
                   "transaction.",
                   true);
    case SQLITE_CORRUPT:
      return error(ExitCode::kData,
                   "The batch in hand is not there. See 'PRAGMA integrity_check', put a backup "
                   "back, or name another file.");
    case SQLITE_CANTOPEN:
      return error(ExitCode::kCannotCreate, "Check the path: its directory must be there.");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return error(ExitCode::kNoPermission, "The batch in hand is not there. Make it writable.");
    case SQLITE_NOTADB:
      return error(ExitCode::kConfig, "Nothing was changed. Name another file.");
    default:
      return error(ExitCode::kIoError, "The batch in hand is not there.");
  }
}

}  // namespace kstream
