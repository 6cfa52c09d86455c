#include "sink/postgres.h"

#include <set>
#include <string>
#include <string_view>

#include "base/url.h"
#include "catch.h"
#include "sink/postgres_connection.h"

using namespace kstream;

namespace {

std::string stored(std::string_view word) {
  std::string text;
  append_postgres_text(text, word);
  return text;
}

}  // namespace

TEST_CASE("url: what may be shown has no user, password or parameter") {
  const auto shown = [](std::string_view url) { return url_without_secrets(url).value(); };
  CHECK(shown("postgres://u:secret@db:5432/counts") == "postgres://db:5432/counts");
  CHECK(shown("postgresql://u@db/counts?password=secret") == "postgresql://db/counts");
  CHECK(shown("postgresql://?password=secret") == "postgresql://");
  CHECK(shown("postgres://u:s%40e@a:1,b:2/x") == "postgres://a:1,b:2/x");
  CHECK(shown("postgres://[::1]:5432/x") == "postgres://[::1]:5432/x");
}

TEST_CASE("url: one where the password's end is not certain is refused and not shown") {
  for (const char* url : {"postgres://u:sec@ret@db/x", "postgres://u:sec/ret@db/x",
                          "postgres://u:sec?ret@db/x", "postgres://u:sec#ret@db/x",
                          "postgres://db/x?user=sec@ret", "u:sec:ret@db", "postgres://", ""}) {
    INFO(url);
    const auto shown = url_without_secrets(url);
    REQUIRE_FALSE(shown.ok());
    CHECK(shown.error().code == ExitCode::kUsage);
    CHECK(shown.error().text.find("sec") == std::string::npos);
  }
}

TEST_CASE("postgres: a word that its text can hold is stored as it is") {
  for (const std::string_view word :
       {"", "a", "\\", "a\\x00", "\\\\x", "\xc3\xa9", "\x01\n\t", "x"}) {
    CHECK(stored(word) == word);
  }
}

TEST_CASE("postgres: any other word is stored as its bytes, and no two become one") {
  CHECK(stored(std::string_view("a\0b", 3)) == "\\x610062");
  CHECK(stored("\xff") == "\\xff");
  CHECK(stored("\xed\xa0\x80") == "\\xeda080");  // a surrogate is no UTF-8
  CHECK(stored("\\x610062") == "\\x5c78363130303632");
  // All words of up to four of these bytes.
  std::set<std::string> texts;
  std::size_t words = 0;
  const std::string_view bytes("\0\\x6f\xc3\xa9\xff", 8);
  const auto add = [&](const std::string& word, int left, const auto& again) -> void {
    ++words;
    const std::string text = stored(word);
    CHECK(text.find('\0') == text.npos);
    texts.insert(text);
    for (const char byte : left > 0 ? bytes : std::string_view()) {
      again(word + byte, left - 1, again);
    }
  };
  add("", 4, add);
  CHECK(words == 1 + 8 + 64 + 512 + 4096);
  CHECK(texts.size() == words);
}

TEST_CASE("postgres: what a server says is waited for, or ends the run, by its SQLSTATE") {
  struct Case {
    const char* state;
    ExitCode code;
    bool is_transient;
  };
  for (const Case& want :
       {Case{"08006", ExitCode::kUnavailable, true}, Case{"57P01", ExitCode::kUnavailable, true},
        Case{"57P03", ExitCode::kUnavailable, true}, Case{"25006", ExitCode::kUnavailable, true},
        Case{"40001", ExitCode::kTryAgain, true}, Case{"40P01", ExitCode::kTryAgain, true},
        Case{"55P03", ExitCode::kTryAgain, true}, Case{"53100", ExitCode::kIoError, true},
        Case{"53300", ExitCode::kIoError, true}, Case{"28P01", ExitCode::kNoPermission, false},
        Case{"42501", ExitCode::kNoPermission, false}, Case{"42P01", ExitCode::kConfig, false},
        Case{"42703", ExitCode::kConfig, false}, Case{"3D000", ExitCode::kConfig, false},
        Case{"XX001", ExitCode::kData, false}, Case{"22021", ExitCode::kIoError, false}}) {
    const Error error = postgres_error("postgres://db/x", want.state, "so it is");
    INFO(want.state);
    CHECK(error.code == want.code);
    CHECK(error.is_transient == want.is_transient);
    CHECK(error.text.find("postgres://db/x: so it is (SQLSTATE ") == 0);
  }
}

TEST_CASE("postgres: a URL that the library does not take is refused, and nothing of it is shown") {
  for (const char* url : {"postgres://u:secret@db:port/x", "postgres://db/x?secret=1",
                          "postgres://db/x?sslmode=secret", "postgres://u:secret%zz@db/x"}) {
    INFO(url);
    const auto made = PostgresConnection::create(url);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().code == ExitCode::kUsage);
  }
}
