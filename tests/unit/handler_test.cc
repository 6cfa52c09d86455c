#include "handler/handler.h"

#include <map>
#include <string>
#include <vector>

#include "catch.h"
#include "handler/readable.h"
#include "model/record_headers.h"

namespace kstream {
namespace {

const TopicPartition kPartition{"lines", 3};

std::unique_ptr<Handler> handler_of(const std::string& code) {
  auto handler = Handler::create({"test.lua", code});
  INFO((handler.ok() ? "" : handler.error().text));
  REQUIRE(handler.ok());
  return std::move(handler).value();
}

std::string refusal_of(const std::string& code) {
  const auto handler = Handler::create({"test.lua", code});
  REQUIRE_FALSE(handler.ok());
  CHECK(handler.error().code == ExitCode::kConfig);
  return handler.error().text;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

RecordView record_of(std::optional<std::string_view> value) {
  return {42, 1'514'260'202'000, "a key", value};
}

// What handle() makes of a record with this value, for people.
std::string handled(Handler& handler, std::optional<std::string_view> value,
                    RecordView record = record_of(std::nullopt)) {
  record.value = value;
  Decoded decoded;
  decoded.text = value.value_or("");
  const auto given = handler.handle(kPartition, record, value ? &decoded : nullptr);
  if (!given) {
    return "dropped";
  }
  if (!given->problem.empty()) {
    CHECK(given->is_list);
    CHECK(given->words.empty());
    return std::string(given->problem);
  }
  if (!given->is_list) {
    return "text " + std::string(given->text);
  }
  std::string words = "words";
  for (const std::string_view word : given->words) {
    words += " <" + std::string(word) + ">";
  }
  return words;
}

std::string handled(const std::string& body, std::optional<std::string_view> value = "some text",
                    const RecordView& record = record_of(std::nullopt)) {
  return handled(*handler_of("function handle(m) " + body + " end"), value, record);
}

}  // namespace

TEST_CASE("handler: a text, a list, nil, and what else is returned") {
  CHECK(handled("return m.value") == "text some text");
  CHECK(handled("return ''") == "text ");
  CHECK(handled("return m.value:gsub('some', 'no')") == "text no text");  // and a number
  CHECK(handled("return 'a\\0b'") == std::string("text a\0b", 8));
  CHECK(handled("return {}") == "words");
  CHECK(handled("return {'a b', '', 'c'}") == "words <a b> <> <c>");
  CHECK(handled("return {'a', n = 'b', [7] = 'c'}") == "words <a>");
  CHECK(handled("return nil") == "dropped");
  CHECK(handled("") == "dropped");
  const std::string failed = "made handle fail: ";
  CHECK(handled("return 7") ==
        failed + "it returned a number, not a string, a list of strings or nil");
  CHECK(has(handled("return false"), "it returned a boolean"));
  CHECK(has(handled("return print"), "it returned a function"));
  CHECK(has(handled("return m"), "it returned a userdata"));
  CHECK(handled("return {'a', 2}") ==
        failed + "word 2 of the list that it returned is a number, not a string");
  CHECK(has(handled("return {'a', {}}"), "word 2 of the list that it returned is a table"));
}

TEST_CASE("handler: the fields of a message") {
  std::string headers;
  put_header(headers, {"trace", "1"});
  put_header(headers, {"empty", std::nullopt});
  put_header(headers, {"trace", "2"});
  put_header(headers, {"1", "one"});
  RecordView record = record_of(std::nullopt);
  record.headers = headers;
  const auto shows = [&](const std::string& what) {
    return handled("return tostring(" + what + ")", "v", record);
  };
  CHECK(shows("m.topic") == "text lines");
  CHECK(shows("m.partition") == "text 3");
  CHECK(shows("m.offset") == "text 42");
  CHECK(shows("m.timestamp") == "text 1514260202000");
  CHECK(shows("m.key") == "text a key");
  CHECK(shows("m.value") == "text v");
  CHECK(shows("math.type(m.offset)") == "text integer");
  CHECK(shows("#m.headers") == "text 4");
  CHECK(shows("m.headers[1].key .. m.headers[1].value") == "text trace1");
  CHECK(shows("m.headers[2].key") == "text empty");
  CHECK(shows("m.headers[2].value") == "text nil");
  CHECK(shows("m.headers.trace") == "text 2");  // the last one of the name
  CHECK(shows("m.headers['1']") == "text one");
  CHECK(shows("m.headers.other") == "text nil");
  CHECK(shows("m.headers == m.headers") == "text true");  // made once
  record.headers = {};
  CHECK(shows("#m.headers") == "text 0");
  record.key.reset();
  CHECK(shows("m.key") == "text nil");
  CHECK(handled("return tostring(m.value)", std::nullopt, record) == "text nil");

  CHECK(has(handled("return m.valeu"), "test.lua:1: a message has no 'valeu'; it has topic"));
  CHECK(has(handled("return m[1]"), "a message has no '1'"));
  CHECK(has(handled("return m[nil]"), "a message has no 'nil'"));
  CHECK(has(handled("m.value = 'x'"), "a message cannot be changed"));
  CHECK(has(handled("m.other = 'x'"), "a message cannot be changed"));
}

TEST_CASE("handler: each record has fields of its own, also in a message that was kept") {
  const auto handler = handler_of(R"(
    local kept = {}
    function handle(m)
      kept[1] = kept[1] or m
      return { kept[1].value, m.value, kept[1].key or '', tostring(#m.headers) }
    end)");
  RecordView record = record_of(std::nullopt);
  std::string headers;
  put_header(headers, {"h", "1"});
  record.headers = headers;
  CHECK(handled(*handler, "one", record) == "words <one> <one> <a key> <1>");
  record.key.reset();
  record.headers = {};
  CHECK(handled(*handler, "two", record) == "words <two> <two> <> <0>");
  record.key = "k";
  CHECK(handled(*handler, "three", record) == "words <three> <three> <k> <0>");
}

TEST_CASE("handler: decode makes a text of bytes, and of a message's value") {
  const auto handler = handler_of(R"(
    function decode(bytes) return bytes:sub(2) end
    function handle(m) return m.value:upper() .. ' ' .. m.value end)");
  CHECK(handler->has_decode());
  CHECK(handler->has_handle());
  RecordView record = record_of("xlong enough not to be a short string of Lua, which is shared");
  const Decoded decoded = handler->decode(*record.value);
  CHECK(decoded.problem.empty());
  CHECK(decoded.text == record.value->substr(1));
  const auto given = handler->handle(kPartition, record, &decoded);
  CHECK(given->text.size() == 2 * decoded.text.size() + 1);
  CHECK(has(given->text, decoded.text));

  const auto alone = handler_of("function decode(bytes) return bytes end");
  CHECK_FALSE(alone->has_handle());
  const std::string all("\0\xff\xc3\x01", 4);
  CHECK(alone->decode(all).text == all);
  CHECK(alone->decode("").text.empty());
  CHECK_FALSE(alone->decode("").is_list);
  const auto fails = [](const std::string& body) {
    return std::string(handler_of("function decode(bytes) " + body + " end")->decode("x").problem);
  };
  CHECK(fails("return nil") == "made decode fail: it returned a nil, not a string");
  CHECK(has(fails("return {'a'}"), "it returned a table, not a string"));
  CHECK(has(fails("error('no length')"), "made decode fail: test.lua:1: no length"));
}

TEST_CASE("handler: words that were decoded are a list in the message") {
  const auto handler = handler_of("function handle(m) return m.value end");
  const std::vector<std::string_view> words = {"a b", "", "c"};
  Decoded decoded;
  decoded.words = words;
  decoded.is_list = true;
  const auto given = handler->handle(kPartition, record_of("[]"), &decoded);
  CHECK(std::vector<std::string_view>(given->words.begin(), given->words.end()) == words);
}

TEST_CASE("handler: a function that fails says where and why, and the next record is another one") {
  CHECK(has(handled("return m.key.first.second"), "test.lua:1: attempt to index a nil value"));
  CHECK(has(handled("error('bad')"), "made handle fail: test.lua:1: bad"));
  CHECK(has(handled("error('bad', 0)"), "made handle fail: bad"));
  CHECK(has(handled("error({})"), "it raised a table"));
  CHECK(has(handled("error()"), "it raised a nil"));
  CHECK(has(handled("error(7)"), "it raised a number"));
  CHECK(has(handled("error('a\\27[31m\\n\\xff')"), "a?[31m?\xEF\xBF\xBD"));
  CHECK(has(handled("error(('x'):rep(5000))"), "xxx..."));
  const auto handler = handler_of(R"(function handle(m)
    assert(m.value ~= 'bad', 'a bad one')
    return m.value end)");
  for (int i = 0; i < 3; ++i) {
    CHECK(handled(*handler, "good") == "text good");
    CHECK(has(handled(*handler, "bad"), "a bad one"));
  }
}

TEST_CASE("handler: a file that cannot be used is refused with its line") {
  CHECK(has(refusal_of("function handle(m)\n return m.\nend"), "handler 'test.lua': test.lua:3: "));
  CHECK(has(refusal_of(""), "it defines neither decode nor handle"));
  CHECK(has(refusal_of("local function handle(m) end"), "not a local one"));
  CHECK(has(refusal_of("handle = 7"), "'handle' is a number, not a function"));
  CHECK(has(refusal_of("\n\nerror('at the start')"), "test.lua:3: at the start"));
  CHECK(has(refusal_of("while true do end"), "test.lua:1: it did more work than 10 million"));
  CHECK(has(refusal_of("x = ('x'):rep(1 << 27)"), "it needs more than 64 MiB of memory"));
  CHECK(has(refusal_of("\x1bLua"), "attempt to load a binary chunk"));
  CHECK(has(refusal_of("require 'os'"), "attempt to call a nil value (global 'require')"));
  const auto marked = handler_of(
      "\xEF\xBB\xBF"
      "function handle(m) return m.value end");
  CHECK(handled(*marked, "v") == "text v");
}

TEST_CASE("handler: nothing reaches out of the sandbox, and what computes is there") {
  for (const std::string name :
       {"io",           "os",           "package",     "require",         "dofile",
        "loadfile",     "load",         "loadstring",  "debug",           "coroutine",
        "setmetatable", "getmetatable", "xpcall",      "rawset",          "collectgarbage",
        "_G",           "string.dump",  "math.random", "math.randomseed", "warn"}) {
    CHECK(handled("return tostring(" + name + ")") == "text nil");
  }
  for (const std::string name :
       {"assert", "error", "ipairs", "next", "pairs", "pcall", "print", "rawequal", "rawget",
        "rawlen", "select", "tonumber", "tostring", "type", "string.gsub", "table.concat",
        "math.floor", "utf8.char"}) {
    CHECK(handled("return type(" + name + ")") == "text function");
  }
  CHECK(handled("return ('x'):rep(3) .. #m.value") == "text xxx9");
}

TEST_CASE("handler: globals can be set by the file and not by its functions") {
  const auto handler = handler_of(R"(
    seen = 'by the file'
    function handle(m)
      if m.value == 'read' then return seen end
      if m.value == 'new' then count = 1 end
      if m.value == 'old' then seen = 1 end
      if m.value == 'none' then return tostring(count) end
      if m.value == 'environment' then _ENV.count = 1 end
      if m.value == 'insert' then table.insert(_ENV, 1) end
      rawget(_ENV, 'seen').x = 1
    end)");
  CHECK(handled(*handler, "read") == "text by the file");
  CHECK(has(handled(*handler, "new"), "test.lua:5: global 'count' is assigned to"));
  CHECK(has(handled(*handler, "old"), "global 'seen' is assigned to"));
  CHECK(has(handled(*handler, "environment"), "global 'count' is assigned to"));
  CHECK(has(handled(*handler, "insert"), "global '1' is assigned to"));
  CHECK(handled(*handler, "none") == "text nil");
  CHECK(has(handled(*handler, "raw"), "attempt to index a nil value"));
  CHECK(handled(*handler, "read") == "text by the file");
}

TEST_CASE("handler: a call's work has an end, whatever the function tries") {
  const std::string spent = "it did more work than 10 million instructions";
  for (const std::string body : {
           "while true do end",
           "while true do pcall(function() while true do end end) end",
           "local function f() return pcall(f) or pcall(f) end while true do f() end",
           "repeat local ok = pcall(pcall, pcall, error) until false",
           "while true do pcall(string.rep, 'x', 20000000) end",
           "while true do local s = ('x'):rep(20000000) end",
           "local t = {} while true do t[#t % 1000 + 1] = ('x'):rep(100) .. #t end",
           "table.sort({3, 2, 1}, function() while true do end end)",
           "('x'):gsub('x', function() while true do end end)",
           "for k in (function() return 1 end) do end",
           "return tostring(setmetatable) .. (function() while true do end end)()",
           "goto a ::a:: goto a",
       }) {
    INFO(body);
    const auto handler =
        handler_of("function handle(m) if m.value == 'x' then " + body + " end return m.value end");
    CHECK(has(handled(*handler, "x"), spent));
    CHECK(handled(*handler, "next") == "text next");
  }
  const auto decode = handler_of("function decode(b) while b == 'x' do end return b end");
  CHECK(has(decode->decode("x").problem, "test.lua:1: " + spent));
  CHECK(decode->decode("y").text == "y");
}

TEST_CASE("handler: a long value may be walked byte by byte") {
  const auto handler = handler_of(R"(function handle(m)
    local n = 0
    for i = 1, #m.value do
      if m.value:byte(i) == 32 then n = n + 1 end
    end
    return tostring(n) end)");
  CHECK(handled(*handler, std::string(4'000'000, ' ')) == "text 4000000");
}

TEST_CASE("handler: a state's memory has an end, and is there again for the next record") {
  const std::string needs = "it needs more than 64 MiB of memory";
  for (const std::string body : {
           "return ('x'):rep(1 << 27)",
           "local s = 'x' while true do s = s .. s end",
           "local t = {} for i = 1, 3000000 do t[i] = i end return #t",
           "return table.concat({m.value, ('y'):rep(40000000), ('z'):rep(40000000)})",
           "return ('x'):rep(40000000):gsub('x', 'yy')",
       }) {
    INFO(body);
    const auto handler =
        handler_of("function handle(m) if m.value == 'x' then " + body + " end return m.value end");
    for (int i = 0; i < 3; ++i) {
      CHECK(has(handled(*handler, "x"), needs));
      CHECK(handled(*handler, "next") == "text next");
    }
  }
  CHECK(has(handled("return ('x'):rep(1 << 62)"), "resulting string too large"));
  // To catch it is the function's right: it is an end of memory, not of work.
  CHECK(handled("return tostring((pcall(string.rep, 'x', 1 << 27)))") == "text false");
  // A record that is larger than the memory.
  const auto decode = handler_of("function decode(b) return b end");
  const std::string huge(70'000'000, 'x');
  CHECK(decode->decode(huge).problem == "made decode fail: " + needs);
  CHECK(has(handled("return m.value", huge), needs));
  CHECK(decode->decode("next").text == "next");
}

TEST_CASE("handler: recursion without end is an error") {
  CHECK(has(handled("local function f(a, b, c, d, e) return 1 + f(a, b, c, d, e) end f()"),
            "stack overflow"));
  CHECK(has(handled("local function f() return 1 + f() end f()"), "64 MiB"));  // of small frames
  CHECK(has(handled("local function f(s) return s:gsub('.', f) end f('x')"), "overflow"));
  CHECK(has(handled("local function f() local ok, e = pcall(f) if not ok then error(e, 0) end end "
                    "f()"),
            "overflow"));
  CHECK(has(handled("local s = ('('):rep(300) return s:find(s)"), "too many captures"));
  CHECK(has(handled("return string.find(('a'):rep(300000), ('a?'):rep(300000) .. 'b')"),
            "pattern too complex"));
}

TEST_CASE("handler: two states of one file do not know of each other and answer alike") {
  const std::string code =
      "local n = 0 function handle(m) n = n + 1 return m.value .. n .. #tostring(m.offset) end";
  const auto one = handler_of(code);
  const auto other = handler_of(code);
  CHECK(handled(*one, "a") == "text a12");
  CHECK(handled(*other, "a") == "text a12");
  CHECK(handled(*one, "a") == "text a22");
}

TEST_CASE("handler: what is said of it is one line") {
  CHECK(readable("plain \xC3\xA9") == "plain \xC3\xA9");
  CHECK(readable("a\nb\x1b\x7f") == "a?b??");
  CHECK(readable("\xff") == "\xEF\xBF\xBD");
  CHECK(readable(std::string(1001, 'x')) == std::string(1000, 'x') + "...");
  CHECK(readable(std::string(1000, 'x')) == std::string(1000, 'x'));
}

}  // namespace kstream
