#include "sink/postgres_connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <regex>
#include <utility>
#include <vector>

#include "base/url.h"

namespace kstream {
namespace {

struct StateRow {
  std::string_view begin;
  ExitCode code;
  bool is_transient;
  const char* what_to_do;
};

// The first row that a state begins with.
constexpr StateRow kStates[] = {
    {"08", ExitCode::kUnavailable, true, "Start the server, or check host and port."},
    {"25006", ExitCode::kUnavailable, true, "Name a server that takes changes."},
    {"25P03", ExitCode::kUnavailable, true, "Raise idle_in_transaction_session_timeout."},
    {"28", ExitCode::kNoPermission, false,
     "Check user and password: PGPASSWORD, ~/.pgpass, or a file that the URL's ?passfile= names."},
    {"3D", ExitCode::kConfig, false, "Make that database, or name another one."},
    {"3F", ExitCode::kConfig, false, "Give the user a schema: see search_path."},
    {"40", ExitCode::kTryAgain, true, "Another transaction was in the way."},
    {"42501", ExitCode::kNoPermission, false,
     "Grant it, or make the tables as docs/FORMATS.md says."},
    {"42", ExitCode::kConfig, false, "Compare the tables with docs/FORMATS.md."},
    {"53", ExitCode::kIoError, true, "Make room there: disk, memory or connections."},
    {"55P03", ExitCode::kTryAgain, true, "Another transaction locks the table. End it."},
    {"57", ExitCode::kUnavailable, true, "Start the server, or see its log."},
    {"XX00", ExitCode::kData, false, "See the server's log."},
    {"", ExitCode::kIoError, false, "See the server's log."},
};

constexpr std::string_view kNoAnswer = "08006";
constexpr std::string_view kNoPassword = "28000";

std::string one_line(const std::string& text) {
  const std::string line = std::regex_replace(text, std::regex("\\s+"), " ");
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

std::string field(const PGresult* result, int which) {
  const char* text = PQresultErrorField(result, which);
  return text == nullptr ? "" : text;
}

// What the URL does not say otherwise: a peer that has gone silently is noticed within 30 s, and
// of several servers the one that takes changes is the one. The rest is said whatever the URL says.
std::vector<std::pair<const char*, const char*>> parameters(const std::string& url) {
  return {{"connect_timeout", "3"},
          {"keepalives_idle", "10"},
          {"keepalives_interval", "5"},
          {"keepalives_count", "4"},
          {"tcp_user_timeout", "30000"},
          {"target_session_attrs", "read-write"},
          {"fallback_application_name", "kstream"},
          {"dbname", url.c_str()},
          {"client_encoding", "UTF8"},
          {nullptr, nullptr}};
}

// The library would say it at each attempt, and as if the server were away.
bool has_numeric_ports(const PQconninfoOption* options) {
  for (; options->keyword != nullptr; ++options) {
    if (options->val != nullptr && std::string_view(options->keyword) == "port") {
      return std::string_view(options->val).find_first_not_of("0123456789,") ==
             std::string_view::npos;
    }
  }
  return true;
}

template <class Function>
auto with_parameters(Function function, const std::string& url) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters(url)) {
    names.push_back(name);
    values.push_back(value);
  }
  return function(names.data(), values.data(), 1);
}

}  // namespace

Error postgres_error(std::string_view name, std::string_view state, std::string_view message) {
  const StateRow* row = kStates;
  while (!state.starts_with(row->begin)) {
    ++row;
  }
  return Error{row->code,
               fmt::format("{}: {} (SQLSTATE {}). {} {}", name, message, state,
                           row->is_transient ? "The batch in hand is kept."
                                             : "The batch in hand is not there.",
                           row->what_to_do),
               row->is_transient};
}

PostgresRows::PostgresRows(pg_result* result) : result_(result, PQclear) {}

int PostgresRows::size() const {
  return PQntuples(result_.get());
}

std::string PostgresRows::text(int row, int column) const {
  return PQgetvalue(result_.get(), row, column);
}

std::int64_t PostgresRows::number(int row, int column) const {
  return std::strtoll(PQgetvalue(result_.get(), row, column), nullptr, 10);
}

std::int64_t PostgresRows::changes() const {
  return std::strtoll(PQcmdTuples(result_.get()), nullptr, 10);
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::create(const std::string& url) {
  KS_TRY_VALUE(name, url_without_secrets(url));
  // Nothing of what libpq says of a URL is shown: it may be a piece of a password.
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(
      PQconninfoParse(url.c_str(), nullptr), PQconninfoFree);
  if (!parsed || !has_numeric_ports(parsed.get()) ||
      with_parameters(PQpingParams, url) == PQPING_NO_ATTEMPT) {
    return Error{ExitCode::kUsage,
                 fmt::format("{}: that URL has a part, or a parameter after '?', that PostgreSQL's "
                             "library does not take. Nothing was asked of a server. Correct it, as "
                             "in postgres://USER@HOST:5432/DATABASE?sslmode=require.",
                             name)};
  }
  return std::unique_ptr<PostgresConnection>(new PostgresConnection(url, name));
}

Result<bool> PostgresConnection::connect() {
  if (handle_ && PQstatus(handle_.get()) == CONNECTION_OK) {
    return false;
  }
  handle_ = {with_parameters(PQconnectdbParams, url_), PQfinish};
  if (PQstatus(handle_.get()) != CONNECTION_OK) {
    // Why it failed comes with its SQLSTATE only if that is asked for, which needs a connection.
    PQsetErrorVerbosity(handle_.get(), PQERRORS_VERBOSE);
    PQreset(handle_.get());
  }
  if (PQstatus(handle_.get()) != CONNECTION_OK) {
    return failed(nullptr);
  }
  PQsetNoticeProcessor(
      handle_.get(), [](void*, const char*) {}, nullptr);
  return true;
}

Result<PostgresRows> PostgresConnection::query(const char* sql,
                                               std::initializer_list<std::string> values) {
  std::vector<const char*> texts;
  for (const std::string& value : values) {
    texts.push_back(value.c_str());
  }
  PostgresRows rows(texts.empty() ? PQexec(handle_.get(), sql)
                                  : PQexecParams(handle_.get(), sql, static_cast<int>(texts.size()),
                                                 nullptr, texts.data(), nullptr, nullptr, 0));
  const ExecStatusType status = PQresultStatus(rows.result_.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    return failed(rows.result_.get());
  }
  return rows;
}

Status PostgresConnection::begin_copy(const char* sql) {
  const PostgresRows begun(PQexec(handle_.get(), sql));
  return PQresultStatus(begun.result_.get()) == PGRES_COPY_IN ? Status()
                                                              : failed(begun.result_.get());
}

Status PostgresConnection::copy(std::string_view part) {
  return PQputCopyData(handle_.get(), part.data(), static_cast<int>(part.size())) == 1
             ? Status()
             : failed(nullptr);
}

Status PostgresConnection::end_copy() {
  if (PQputCopyEnd(handle_.get(), nullptr) != 1) {
    return failed(nullptr);
  }
  while (PGresult* next = PQgetResult(handle_.get())) {
    const PostgresRows result(next);
    if (PQresultStatus(next) != PGRES_COMMAND_OK) {
      return failed(next);
    }
  }
  return {};
}

std::string PostgresConnection::server_encoding() const {
  const char* encoding = PQparameterStatus(handle_.get(), "server_encoding");
  return encoding == nullptr ? "" : encoding;
}

Error PostgresConnection::failed(const pg_result* result) {
  std::string state = field(result, PG_DIAG_SQLSTATE);
  std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state.empty()) {
    // The library's own text; a server's that let nobody in has the code and a place in its source.
    message = PQerrorMessage(handle_.get());
    const std::regex code(":  ([0-9A-Z]{5}): ");
    std::smatch found;
    if (std::regex_search(message, found, code)) {
      state = found[1];
    } else {
      state = PQconnectionNeedsPassword(handle_.get()) != 0 ? kNoPassword : kNoAnswer;
    }
    message = std::regex_replace(message, code, ": ");
    message = std::regex_replace(message, std::regex("\n[^\n]*\\.c:[0-9]+(?=\n)"), "");
  } else if (const std::string detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) {
    message += fmt::format(": {}", detail);
  }
  close();
  return postgres_error(name_, state, one_line(message));
}

}  // namespace kstream
