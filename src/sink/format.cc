#include "sink/format.h"

#include <fmt/format.h>

#include <cstdint>
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

// Calls write for each of the words that are shown, and says how many there were.
template <class Write>
Result<std::uint64_t> write_words(WordSorter& shown, Text& text, Write&& write) {
  for (std::uint64_t written = 0;; ++written) {
    KS_TRY_VALUE(word, shown.next());
    if (word == nullptr) {
      return written;
    }
    write(*word);
    KS_TRY(text.pass());
  }
}

Status render_block(const BatchResult& result, WordSorter& shown, const Presentation& presentation,
                    Text& text) {
  const bool is_pprint = presentation.format == OutputFormat::kPprint;
  text.buffer() += kRule;
  if (is_pprint) {
    text.add("Time: {}\n", python_time(result.plan.time_ms));
  } else {
    text.add("Time: {} ms\n", result.plan.time_ms);
  }
  text.buffer() += kRule;
  KS_TRY_VALUE(written, write_words(shown, text, [&](const WordCount& word) {
                 text.buffer() += '(';
                 add_word(text, word.word, presentation);
                 text.add("{}{})\n", is_pprint ? ", " : ",", word.count);
               }));
  text.buffer() += written < result.counts.size() ? "...\n\n" : "\n";
  return {};
}

Status render_rows(const BatchResult& result, WordSorter& shown, const Presentation& presentation,
                   Text& text) {
  const char separator = presentation.format == OutputFormat::kTsv ? '\t' : ',';
  const std::string time = rfc3339_time(result.plan.time_ms);
  KS_TRY(write_words(shown, text, [&](const WordCount& word) {
    text.buffer() += time;
    text.buffer() += separator;
    add_word(text, word.word, presentation);
    text.add("{}{}\n", separator, word.count);
  }));
  return {};
}

Status render_json(const BatchResult& result, WordSorter& shown, const Presentation& presentation,
                   Text& text) {
  const BatchPlan& plan = result.plan;
  text.add(
      "{{\"batch\":{},\"time\":\"{}\",\"interval_ms\":{},\"records\":{},\"words\":{},"
      "\"distinct\":{},\"nulls\":{},\"invalid\":{},{}\"ranges\":[",
      plan.id.value_or(0), rfc3339_time(plan.time_ms), result.interval.count(),
      result.totals.records, result.totals.words, result.counts.size(), result.totals.nulls,
      result.totals.invalid,
      result.totals.dropped > 0 ? fmt::format("\"dropped\":{},", result.totals.dropped) : "");
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
  KS_TRY(write_words(shown, text, [&](const WordCount& word) {
    text.buffer() += separator;
    text.buffer() += '[';
    add_word(text, word.word, presentation);
    text.add(",{}]", word.count);
    separator = ",";
  }));
  text.buffer() += "]}\n";
  return {};
}

Status render_batch(const BatchResult& result, WordSorter& shown, const Presentation& presentation,
                    Text& text) {
  switch (presentation.format) {
    case OutputFormat::kPprint:
    case OutputFormat::kScala:
      return render_block(result, shown, presentation, text);
    case OutputFormat::kTsv:
    case OutputFormat::kCsv:
      return render_rows(result, shown, presentation, text);
    case OutputFormat::kJson:
      return render_json(result, shown, presentation, text);
  }
  return {};
}

}  // namespace

std::string rfc3339_time(BatchTime time_ms) {
  std::string text = date_and_time(time_ms, false, "%Y-%m-%dT%H:%M:%S");
  if (time_ms % 1000 != 0) {
    text += fmt::format(".{:03}", time_ms % 1000);
  }
  return text + "Z";
}

std::string header(const Presentation& presentation) {
  return presentation.format == OutputFormat::kCsv ? "time,word,count\n" : "";
}

Status render(const BatchResult& result, WordSorter& shown, const Presentation& presentation,
              const EmitText& emit) {
  const bool is_block =
      presentation.format == OutputFormat::kPprint || presentation.format == OutputFormat::kScala;
  if (!is_block && !result.plan.id) {
    return {};
  }
  Text text(emit);
  KS_TRY(render_batch(result, shown, presentation, text));
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
