#include "sink/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>

#include "sink/escape.h"

namespace kstream {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::string_view kRule = "-------------------------------------------\n";  // 43, as Spark

// Collects text and hands it on in chunks. The first error ends it.
class Text {
 public:
  explicit Text(const EmitText& emit) : emit_(emit) {}

  std::string& buffer() { return buffer_; }

  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(buffer_), format, std::forward<Args>(args)...);
  }

  // Between two rows: hands on what there is when it is enough.
  Status pass() { return buffer_.size() < kChunkBytes ? Status() : finish(); }

  Status finish() {
    Status status = buffer_.empty() ? Status() : emit_(buffer_);
    buffer_.clear();
    return status;
  }

 private:
  const EmitText& emit_;
  std::string buffer_;
};

std::string date_and_time(BatchTime time_ms, bool is_local, const char* format) {
  const std::time_t seconds = static_cast<std::time_t>(time_ms / 1000);
  std::tm parts{};
  if (is_local) {
    localtime_r(&seconds, &parts);
  } else {
    gmtime_r(&seconds, &parts);
  }
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, format, &parts);
  return std::string(text, length);
}

// As Python's str(datetime.fromtimestamp(...)): local time, microseconds only if there are any.
std::string python_time(BatchTime time_ms) {
  std::string text = date_and_time(time_ms, true, "%Y-%m-%d %H:%M:%S");
  if (time_ms % 1000 != 0) {
    text += fmt::format(".{:03}000", time_ms % 1000);
  }
  return text;
}

std::string rfc3339_time(BatchTime time_ms) {
  std::string text = date_and_time(time_ms, false, "%Y-%m-%dT%H:%M:%S");
  if (time_ms % 1000 != 0) {
    text += fmt::format(".{:03}", time_ms % 1000);
  }
  return text + "Z";
}

void add_word(Text& text, std::string_view word, const Presentation& presentation) {
  switch (presentation.format) {
    case OutputFormat::kPprint:
      append_python_repr(text.buffer(), word);
      return;
    case OutputFormat::kScala:
      if (presentation.is_terminal) {
        append_for_terminal(text.buffer(), word);
      } else {
        text.buffer() += word;
      }
      return;
    case OutputFormat::kTsv:
      append_tsv(text.buffer(), word);
      return;
    case OutputFormat::kCsv:
      if (presentation.is_terminal) {
        std::string shown;
        append_for_terminal(shown, word);
        append_csv(text.buffer(), shown);
      } else {
        append_csv(text.buffer(), word);
      }
      return;
    case OutputFormat::kJson:
      append_json_string(text.buffer(), word);
      return;
  }
}

Status render_block(const BatchResult& result, std::span<const WordCount> words,
                    const Presentation& presentation, Text& text) {
  const bool is_pprint = presentation.format == OutputFormat::kPprint;
  text.buffer() += kRule;
  if (is_pprint) {
    text.add("Time: {}\n", python_time(result.plan.time_ms));
  } else {
    text.add("Time: {} ms\n", result.plan.time_ms);
  }
  text.buffer() += kRule;
  for (const WordCount& word : words) {
    text.buffer() += '(';
    add_word(text, word.word, presentation);
    text.add("{}{})\n", is_pprint ? ", " : ",", word.count);
    KS_TRY(text.pass());
  }
  text.buffer() += words.size() < result.counts.size() ? "...\n\n" : "\n";
  return {};
}

Status render_rows(const BatchResult& result, std::span<const WordCount> words,
                   const Presentation& presentation, Text& text) {
  const char separator = presentation.format == OutputFormat::kTsv ? '\t' : ',';
  const std::string time = rfc3339_time(result.plan.time_ms);
  for (const WordCount& word : words) {
    text.buffer() += time;
    text.buffer() += separator;
    add_word(text, word.word, presentation);
    text.add("{}{}\n", separator, word.count);
    KS_TRY(text.pass());
  }
  return {};
}

Status render_json(const BatchResult& result, std::span<const WordCount> words,
                   const Presentation& presentation, Text& text) {
  const BatchPlan& plan = result.plan;
  text.add(
      "{{\"batch\":{},\"time\":\"{}\",\"interval_ms\":{},\"records\":{},\"words\":{},"
      "\"distinct\":{},\"nulls\":{},\"invalid\":{},\"ranges\":[",
      plan.id.value_or(0), rfc3339_time(plan.time_ms), result.interval.count(),
      result.totals.records, result.totals.words, result.counts.size(), result.totals.nulls,
      result.totals.invalid);
  const char* separator = "";
  for (const OffsetRange& range : plan.ranges) {
    text.buffer() += separator;
    text.buffer() += '[';
    append_json_string(text.buffer(), range.partition.topic);
    text.add(",{},{},{}]", range.partition.partition, range.from, range.until);
    separator = ",";
    KS_TRY(text.pass());
  }
  text.buffer() += "],\"counts\":[";
  separator = "";
  for (const WordCount& word : words) {
    text.buffer() += separator;
    text.buffer() += '[';
    add_word(text, word.word, presentation);
    text.add(",{}]", word.count);
    separator = ",";
    KS_TRY(text.pass());
  }
  text.buffer() += "]}\n";
  return {};
}

Status render_batch(const BatchResult& result, const Presentation& presentation, Text& text) {
  const std::vector<WordCount> words = select_words(result.counts, presentation);
  switch (presentation.format) {
    case OutputFormat::kPprint:
    case OutputFormat::kScala:
      return render_block(result, words, presentation, text);
    case OutputFormat::kTsv:
    case OutputFormat::kCsv:
      return render_rows(result, words, presentation, text);
    case OutputFormat::kJson:
      return render_json(result, words, presentation, text);
  }
  return {};
}

}  // namespace

std::string header(const Presentation& presentation) {
  return presentation.format == OutputFormat::kCsv ? "time,word,count\n" : "";
}

std::vector<WordCount> select_words(std::span<const WordCount> counts,
                                    const Presentation& presentation) {
  const auto is_before = [&](const WordCount& a, const WordCount& b) {
    if (presentation.order == Order::kCount && a.count != b.count) {
      return a.count > b.count;
    }
    return a.word < b.word;  // char_traits compare bytes as unsigned
  };
  if (!presentation.top || *presentation.top >= counts.size()) {
    std::vector<WordCount> all(counts.begin(), counts.end());
    std::sort(all.begin(), all.end(), is_before);
    return all;
  }
  std::vector<WordCount> shown(*presentation.top);
  std::partial_sort_copy(counts.begin(), counts.end(), shown.begin(), shown.end(), is_before);
  return shown;
}

Status render(const BatchResult& result, const Presentation& presentation, const EmitText& emit) {
  const bool is_block =
      presentation.format == OutputFormat::kPprint || presentation.format == OutputFormat::kScala;
  if (!is_block && !result.plan.id) {
    return {};
  }
  Text text(emit);
  KS_TRY(render_batch(result, presentation, text));
  if (presentation.offsets && presentation.format != OutputFormat::kJson) {
    for (const OffsetRange& range : result.plan.ranges) {
      text.add("{} {} {} {}\n", range.partition.topic, range.partition.partition, range.from,
               range.until);
      KS_TRY(text.pass());
    }
  }
  return text.finish();
}

}  // namespace kstream
