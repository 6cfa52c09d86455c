#include "sink/format.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "counted_words.h"
#include "sink/escape.h"

namespace kstream {
namespace {

using Words = std::vector<std::pair<std::string, std::uint64_t>>;

// A batch that owns its words.
struct Batch {
  BatchPlan plan{812, 1514260202000, {{{"test", 0}, 5120, 5310}, {{"test", 1}, 4990, 4990}}};
  Words words;
  ListedWords counts;

  BatchResult result() {
    counts = ListedWords(words);
    return {plan, std::chrono::milliseconds(2000), {11, 3, 4, 25}, counts};
  }
};

Batch batch_of(Words words) {
  Batch batch;
  batch.words = std::move(words);
  return batch;
}

Batch empty_batch() {
  Batch batch;
  batch.plan.id.reset();
  batch.plan.ranges[0].until = batch.plan.ranges[0].from;
  return batch;
}

Status render_sorted(const BatchResult& result, const Presentation& presentation,
                     const EmitText& emit) {
  ScratchSpace space("/var/tmp", 0);
  KS_TRY_VALUE(shown,
               sort_words(result.counts, presentation.order, presentation.top, 1 << 24, space));
  return render(result, shown, presentation, emit);
}

std::string rendered(Batch& batch, const Presentation& presentation) {
  std::string text;
  const Status status = render_sorted(batch.result(), presentation, [&](std::string_view chunk) {
    text += chunk;
    return Status();
  });
  REQUIRE(status.ok());
  return text;
}

// Every word, without offsets, for a pipe.
Presentation all_of(OutputFormat format) {
  Presentation presentation;
  presentation.format = format;
  return presentation;
}

std::string golden(const std::string& name) {
  std::ifstream file(std::string(KSTREAM_GOLDEN_DIR) + "/" + name, std::ios::binary);
  REQUIRE(file.is_open());
  return {std::istreambuf_iterator<char>(file), {}};
}

Words nasty_words() {
  Words words;
  std::ifstream file(std::string(KSTREAM_GOLDEN_DIR) + "/format_words.txt");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t blank = line.find(' ');
    std::string word;
    for (std::size_t i = blank + 1; i < line.size(); i += 2) {
      word.push_back(static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16)));
    }
    words.emplace_back(word, std::stoull(line.substr(0, blank)));
  }
  REQUIRE(words.size() == 41);
  return words;
}

Words many_words() {
  Words words;
  for (std::uint64_t i = 0; i < 25; ++i) {
    words.emplace_back("w" + std::to_string(i), i == 24 ? 1000 : i / 3 + 1);
  }
  return words;
}

// The cases of make_format_golden.py, one after the other.
std::string golden_cases(OutputFormat format, bool is_terminal) {
  std::string text;
  const auto add = [&](Batch batch, std::optional<std::size_t> top, Order order, bool offsets) {
    text += rendered(batch, {format, order, top, offsets, is_terminal});
  };
  Batch idle = empty_batch();
  idle.plan.time_ms = 1514260201500;
  Batch later = batch_of(nasty_words());
  later.plan.time_ms = 1514260201001;
  add(batch_of({{"world", 1}, {"hello", 2}}), {}, Order::kCount, false);
  add(idle, {}, Order::kCount, true);
  add(batch_of(nasty_words()), {}, Order::kCount, false);
  add(later, {}, Order::kWord, false);
  add(batch_of(nasty_words()), 3, Order::kCount, true);
  add(batch_of(many_words()), 10, Order::kCount, false);
  add(batch_of(many_words()), 25, Order::kCount, false);
  add(batch_of(many_words()), 0, Order::kWord, false);
  add(batch_of(many_words()), 2, Order::kWord, false);
  return text;
}

class TimeZone {
 public:
  explicit TimeZone(const char* name) {
    if (const char* before = std::getenv("TZ")) {
      before_ = before;
    }
    setenv("TZ", name, 1);
    tzset();
  }
  ~TimeZone() {
    if (before_) {
      setenv("TZ", before_->c_str(), 1);
    } else {
      unsetenv("TZ");
    }
    tzset();
  }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;

 private:
  std::optional<std::string> before_;
};

constexpr const char* kRule = "-------------------------------------------\n";

}  // namespace

TEST_CASE("format: every format byte for byte as its golden file") {
  const TimeZone zone("UTC");
  CHECK(golden_cases(OutputFormat::kPprint, false) == golden("format_pprint.txt"));
  CHECK(golden_cases(OutputFormat::kPprint, true) == golden("format_pprint.txt"));
  CHECK(golden_cases(OutputFormat::kScala, false) == golden("format_scala.txt"));
  CHECK(golden_cases(OutputFormat::kScala, true) == golden("format_scala_terminal.txt"));
  CHECK(golden_cases(OutputFormat::kTsv, false) == golden("format_tsv.txt"));
  CHECK(golden_cases(OutputFormat::kTsv, true) == golden("format_tsv.txt"));
  CHECK(golden_cases(OutputFormat::kCsv, false) == golden("format_csv.txt"));
  CHECK(golden_cases(OutputFormat::kCsv, true) == golden("format_csv_terminal.txt"));
  CHECK(golden_cases(OutputFormat::kJson, false) == golden("format_json.txt"));
  CHECK(golden_cases(OutputFormat::kJson, true) == golden("format_json.txt"));
}

TEST_CASE("format: pprint shows local time, the others UTC") {
  const TimeZone zone("IST-5:30");
  Batch batch = batch_of({{"a", 1}});
  batch.plan.time_ms = 1514260202500;
  CHECK(rendered(batch, all_of(OutputFormat::kPprint)) ==
        std::string(kRule) + "Time: 2017-12-26 09:20:02.500000\n" + kRule + "('a', 1)\n\n");
  CHECK(rendered(batch, all_of(OutputFormat::kScala)) ==
        std::string(kRule) + "Time: 1514260202500 ms\n" + kRule + "(a,1)\n\n");
  CHECK(rendered(batch, all_of(OutputFormat::kTsv)) == "2017-12-26T03:50:02.500Z\ta\t1\n");
  CHECK(rendered(batch, all_of(OutputFormat::kCsv)) == "2017-12-26T03:50:02.500Z,a,1\n");
}

TEST_CASE("format: a batch without id is a block of four lines, and nothing for programs") {
  const TimeZone zone("UTC");
  Batch idle = empty_batch();
  CHECK(rendered(idle, all_of(OutputFormat::kPprint)) ==
        std::string(kRule) + "Time: 2017-12-26 03:50:02\n" + kRule + "\n");
  CHECK(rendered(idle, all_of(OutputFormat::kScala)) ==
        std::string(kRule) + "Time: 1514260202000 ms\n" + kRule + "\n");
  for (const bool offsets : {false, true}) {
    for (const OutputFormat format :
         {OutputFormat::kTsv, OutputFormat::kCsv, OutputFormat::kJson}) {
      CHECK(rendered(idle, {format, Order::kCount, {}, offsets, false}).empty());
    }
  }
}

TEST_CASE("format: a batch with an id and no words is one for programs too") {
  Batch batch;  // control records only
  CHECK(rendered(batch, all_of(OutputFormat::kTsv)).empty());
  CHECK(rendered(batch, {OutputFormat::kTsv, Order::kCount, {}, true, false}) ==
        "test 0 5120 5310\ntest 1 4990 4990\n");
  CHECK(rendered(batch, all_of(OutputFormat::kJson)).ends_with("\"counts\":[]}\n"));
}

TEST_CASE("format: only csv has a header") {
  CHECK(header(all_of(OutputFormat::kCsv)) == "time,word,count\n");
  for (const OutputFormat format :
       {OutputFormat::kPprint, OutputFormat::kScala, OutputFormat::kTsv, OutputFormat::kJson}) {
    CHECK(header(all_of(format)).empty());
  }
}

TEST_CASE("format: a topic's name is escaped in json") {
  Batch batch;
  batch.plan.ranges = {{{"a\"b\\", 7}, 1, 2}};
  const std::string text = rendered(batch, all_of(OutputFormat::kJson));
  CHECK(text.find("\"ranges\":[[\"a\\\"b\\\\\",7,1,2]]") != std::string::npos);
}

TEST_CASE("format: each ASCII character in each format as its rule says") {
  for (int i = 0; i < 128; ++i) {
    const std::string word(1, static_cast<char>(i));
    INFO("character " << i);
    const bool is_control = i < 32 || i == 127;
    std::string repr;
    std::string json;
    std::string tsv;
    std::string terminal;
    append_python_repr(repr, word);
    append_json_string(json, word);
    append_tsv(tsv, word);
    append_for_terminal(terminal, word);
    if (!is_control && i != '\'' && i != '"' && i != '\\') {
      CHECK(repr == "'" + word + "'");
      CHECK(json == "\"" + word + "\"");
    }
    CHECK((tsv == word) == (!is_control && i != '\\'));
    CHECK((terminal == word) == !is_control);
    for (const std::string& text : {repr, json, tsv, terminal}) {
      CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 127; }));
    }
  }
}

TEST_CASE("format: a large batch comes in chunks, and the first error ends it") {
  Words words;
  for (int i = 0; i < 50'000; ++i) {
    words.emplace_back("word" + std::to_string(i), 1);
  }
  Batch batch = batch_of(std::move(words));
  for (const OutputFormat format : {OutputFormat::kPprint, OutputFormat::kScala, OutputFormat::kTsv,
                                    OutputFormat::kCsv, OutputFormat::kJson}) {
    std::size_t chunks = 0;
    std::size_t largest = 0;
    std::size_t total = 0;
    REQUIRE(render_sorted(batch.result(), all_of(format), [&](std::string_view chunk) {
              ++chunks;
              largest = std::max(largest, chunk.size());
              total += chunk.size();
              return Status();
            }).ok());
    CHECK(chunks >= total / (65 * 1024));
    CHECK(largest < 65 * 1024);

    int calls = 0;
    const Status status =
        render_sorted(batch.result(), all_of(format), [&](std::string_view) -> Status {
          ++calls;
          return calls == 2 ? Status(Error{ExitCode::kIoError, "full"}) : Status();
        });
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ExitCode::kIoError);
    CHECK(calls == 2);
  }
}

}  // namespace kstream
