#include "words/json_reader.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "catch.h"
#include "words/kernel.h"

namespace kstream {
namespace {

using Words = std::vector<std::string>;

// What a pointer leads to in a record.
struct Found {
  std::optional<std::string> text;
  std::optional<Words> words;
  std::string problem;
};

JsonReader reader_of(const std::string& pointer) {
  return JsonReader(parse_json_pointer(pointer).value());
}

// Behind the record stands whatever stood there: `beyond`, again and again.
Found read(JsonReader& reader, const std::string& record, char beyond = '\0') {
  const std::string memory = record + std::string(kReadableBeyond, beyond);
  const Decoded decoded = reader.read(std::string_view(memory).substr(0, record.size()));
  Found found;
  found.problem = decoded.problem;
  if (decoded.is_list) {
    found.words.emplace(decoded.words.begin(), decoded.words.end());
  } else {
    found.text = decoded.text;
  }
  return found;
}

std::string text_at(const std::string& pointer, const std::string& record) {
  JsonReader reader = reader_of(pointer);
  const Found found = read(reader, record);
  return found.text && found.problem.empty() ? *found.text : "(" + found.problem + ")";
}

Words words_at(const std::string& pointer, const std::string& record) {
  JsonReader reader = reader_of(pointer);
  const Found found = read(reader, record);
  return found.words && found.problem.empty() ? *found.words : Words{"(" + found.problem + ")"};
}

bool is_json(const std::string& record) {
  return !text_at("/no-such-name", record).starts_with("(is not one JSON text");
}

const std::string kMissing = "(has nothing where --decode json looks for its text)";
const std::string kOther =
    "(has neither a text, a number nor a list of texts where --decode json looks for it)";

}  // namespace

TEST_CASE("json pointer: names and their escapes") {
  const auto names = [](std::string_view text) { return parse_json_pointer(text).value().names; };
  CHECK(names("").empty());
  CHECK(names("/") == Words{""});
  CHECK(names("/a/b") == Words{"a", "b"});
  CHECK(names("/a~1b/m~0n/~01") == Words{"a/b", "m~n", "~1"});
  CHECK(names("//") == Words{"", ""});
  CHECK(names("/c%d/ /\"") == Words{"c%d", " ", "\""});
}

TEST_CASE("json pointer: what is none is a usage error that shows how to write it") {
  for (const std::string text : {"a", "a/b", "~0", "#/a", " /a"}) {
    const auto pointer = parse_json_pointer(text);
    REQUIRE_FALSE(pointer.ok());
    CHECK(pointer.error().code == ExitCode::kUsage);
    CHECK(pointer.error().text.find("begins with '/', as in /" + text) != std::string::npos);
  }
  for (const std::string text : {"/~", "/~2", "/a~/b", "/a~x"}) {
    const auto pointer = parse_json_pointer(text);
    REQUIRE_FALSE(pointer.ok());
    CHECK(pointer.error().code == ExitCode::kUsage);
    CHECK(pointer.error().text.find("'~' is written as ~0") != std::string::npos);
  }
}

TEST_CASE("json: the examples of RFC 6901") {
  const std::string record =
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})";
  CHECK(words_at("/foo", record) == Words{"bar", "baz"});
  CHECK(text_at("/foo/0", record) == "bar");
  CHECK(text_at("/", record) == "0");
  CHECK(text_at("/a~1b", record) == "1");
  CHECK(text_at("/c%d", record) == "2");
  CHECK(text_at("/e^f", record) == "3");
  CHECK(text_at("/g|h", record) == "4");
  CHECK(text_at("/i\\j", record) == "5");
  CHECK(text_at("/k\"l", record) == "6");
  CHECK(text_at("/ ", record) == "7");
  CHECK(text_at("/m~0n", record) == "8");
  CHECK(words_at("", record) == Words{kOther});
}

TEST_CASE("json: a number is its digits as written") {
  for (const std::string number :
       {"0", "-0", "1e5", "1E+5", "-1.50", "12345678901234567890123456789", "1e400", "0.1e-400",
        "18446744073709551616", "-9223372036854775809", "1.0000000000000000000000001"}) {
    CHECK(text_at("/n", "{\"n\": " + number + " }") == number);
    CHECK(text_at("/1", "[1," + number + "\n]") == number);
    CHECK(text_at("", number) == number);
    CHECK(text_at("", " \t\n\r" + number + " \t\n\r") == number);
    CHECK(text_at("/t", "{\"n\":" + number + ",\"t\":\"x\"}") ==
          "x");  // also where it is not asked
  }
  for (const std::string number :
       {"01", "+1", "1.", ".5", "1e", "1e+", "-", "0x1", "1_0", "NaN", "Infinity", "--1", "1.e5"}) {
    CHECK_FALSE(is_json(number));
    CHECK_FALSE(is_json("[" + number + "]"));
    CHECK_FALSE(is_json("{\"n\":" + number + ",\"t\":\"x\"}"));
  }
}

TEST_CASE("json: the last of members with one name counts, as a whole") {
  CHECK(text_at("/a", R"({"a":"1","a":"2"})") == "2");
  CHECK(text_at("/a/b", R"({"a":{"b":"1"},"a":{"b":"2"}})") == "2");
  CHECK(words_at("/a/b", R"({"a":{"b":"1"},"a":{}})") == Words{kMissing});
  CHECK(words_at("/a/b", R"({"a":{"b":"1"},"a":5})") == Words{kMissing});
  CHECK(words_at("/a", R"({"a":"1","a":null})") == Words{kOther});
  CHECK(words_at("/a", R"({"a":["x","y"],"a":["z"]})") == Words{"z"});
  CHECK(text_at("/a", R"({"a":[1],"\u0061":"2"})") == "2");
}

TEST_CASE("json: names are compared as decoded") {
  CHECK(text_at("/é", R"({"\u00e9":"x"})") == "x");
  CHECK(text_at("/é", "{\"é\":\"x\"}") == "x");
  CHECK(text_at("/😀", R"({"\ud83d\ude00":"x"})") == "x");
  CHECK(words_at("/é", "{\"e\xCC\x81\":\"x\"}") == Words{kMissing});  // not normalised
}

TEST_CASE("json: texts and their escapes") {
  CHECK(text_at("", R"("a\"\\\/\b\f\n\r\t\u0041\u20ac\ud83d\ude00z")") == "a\"\\/\b\f\n\r\tA€😀z");
  CHECK(text_at("/t", R"({"t":"a\u0000b"})") == std::string("a\0b", 3));
  CHECK(text_at("/t", R"({"t":""})").empty());
  for (const std::string bad :
       {R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")", R"("\x41")", R"("\u12")", R"("\")",
        "\"\xFF\"", "\"\xED\xA0\x80\"", "\"\xC0\x80\"", "\"a\nb\"", "\"a\tb\"", "'a'", "\"a"}) {
    CHECK_FALSE(is_json(bad));
    CHECK_FALSE(is_json("{\"t\":\"x\",\"u\":" + bad + "}"));  // nor where it is not asked
  }
  CHECK_FALSE(is_json(std::string("\"a\0b\"", 5)));
  CHECK_FALSE(is_json(R"({"\ud800":1})"));
}

TEST_CASE("json: elements of a list are words, not split; anything else in it is a problem") {
  CHECK(words_at("/l", R"({"l":["a b","","c"]})") == Words{"a b", "", "c"});
  CHECK(words_at("/l", R"({"l":[]})").empty());
  for (const std::string list : {"[1]", "[\"a\",null]", "[[\"a\"]]", "[{\"a\":1},\"b\"]", "{}",
                                 "true", "false", "null", "{\"a\":\"b\"}"}) {
    CHECK(words_at("/l", "{\"l\":" + list + "}") == Words{kOther});
    CHECK(words_at("", list) == Words{kOther});
  }
}

TEST_CASE("json: places in a list, and places that are not there") {
  const std::string record = R"({"l":["a",["b","c"],{"0":"d"}],"t":"x"})";
  CHECK(text_at("/l/0", record) == "a");
  CHECK(text_at("/l/1/1", record) == "c");
  CHECK(text_at("/l/2/0", record) == "d");
  for (const std::string pointer : {"/l/3", "/l/-", "/l/00", "/l/01", "/l/+0", "/l/-1", "/l/", "/m",
                                    "/L", "/t/0", "/t/", "/l/0/0"}) {
    CHECK(words_at(pointer, record) == Words{kMissing});
  }
}

TEST_CASE("json: the whole record is one text, whatever stands behind it") {
  for (const std::string record : {"",
                                   " ",
                                   "{",
                                   "}",
                                   "[",
                                   "]",
                                   "{]",
                                   "[}",
                                   "{}{}",
                                   "{} {}",
                                   "1 2",
                                   "\"a\"\"b\"",
                                   "\"a\" b",
                                   "[1,]",
                                   "[,1]",
                                   "[1 2]",
                                   "{\"a\"}",
                                   "{\"a\":}",
                                   "{\"a\":1,}",
                                   "{,}",
                                   "{1:2}",
                                   "{\"a\" 1}",
                                   "tru",
                                   "truex",
                                   "nul",
                                   "[true false]",
                                   "[[1]",
                                   "[1]]",
                                   "{\"a\":{\"b\":1}",
                                   "// x\n1",
                                   "[1]//",
                                   "\xEF\xBB\xBF{}",
                                   "[1,[2,[3]",
                                   "{\"a\":[1}",
                                   "[\"a\",\"b\"",
                                   "{\"a\":\"b\"",
                                   "[tru]",
                                   "[nullx]",
                                   "undefined"}) {
    for (const char beyond : {'\0', ' ', '}', ']', ',', '"', '1', ':', 'e', '{', '['}) {
      JsonReader reader = reader_of("/a");
      INFO(record << " before " << beyond);
      CHECK(read(reader, record, beyond).problem.starts_with("is not one JSON text: "));
    }
  }
}

TEST_CASE("json: nested to the limit and beyond") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(is_json(nested(kJsonDepthMax)));
  CHECK_FALSE(is_json(nested(kJsonDepthMax + 1)));
  CHECK_FALSE(is_json(nested(1'000'000)));
  std::string objects = "1";
  for (std::size_t i = 0; i < kJsonDepthMax; ++i) {
    objects = "{\"a\":" + objects + "}";
  }
  CHECK(is_json(objects));
  CHECK_FALSE(is_json("[" + objects + "]"));
}

TEST_CASE("json: a huge record, then small ones") {
  JsonReader reader = reader_of("/t");
  const std::string huge(4 * 1024 * 1024, 'x');
  CHECK(read(reader, "{\"t\":\"" + huge + "\"}").text == huge);
  CHECK(read(reader, "{\"t\":\"ok\"}").text == "ok");
  CHECK_FALSE(read(reader, "{").problem.empty());
  CHECK(read(reader, "{\"t\":[\"ok\"]}").words == Words{"ok"});
}

// The other library's opinion is the naive twin's: what it accepts is a JSON text.
TEST_CASE("json: every record of up to six pieces is accepted as another library does") {
  const Words pieces = {"[", "]", "{", "}", ",", ":", "\"a\"", "1", "null"};
  std::vector<std::string> records = {""};
  std::size_t accepted = 0;
  JsonReader reader = reader_of("/a");
  for (std::size_t begin = 0, length = 0; length <= 6; ++length) {
    const std::size_t end = records.size();
    for (std::size_t i = begin; i < end; ++i) {
      const bool is_valid = nlohmann::json::accept(records[i]);
      accepted += is_valid ? 1 : 0;
      for (const char beyond : {'\0', '}', ']', ',', '1'}) {
        const Found found = read(reader, records[i], beyond);
        if (found.problem.starts_with("is not one JSON text") == is_valid) {
          INFO(records[i] << " before " << beyond);
          CHECK(found.problem.starts_with("is not one JSON text") != is_valid);
        }
      }
      if (length < 6) {
        for (const std::string& piece : pieces) {
          records.push_back(records[i] + piece);
        }
      }
    }
    begin = end;
  }
  CHECK(accepted > 50);
}

}  // namespace kstream
