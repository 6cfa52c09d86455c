#include "app/counting.h"

#include <fmt/format.h>

#include <random>
#include <string_view>
#include <utility>

#include "base/parse.h"
#include "os/file_system.h"
#include "os/line_reader.h"
#include "words/word_filter.h"

namespace kstream {
namespace {

// One word a line, as it is counted.
Result<std::vector<std::string>> read_stop_words(const std::string& path) {
  KS_TRY_VALUE(lines, LineReader::open(path));
  std::vector<std::string> words;
  for (bool is_first = true;; is_first = false) {
    KS_TRY_VALUE(line, lines.next({}));
    if (!line) {
      return words;
    }
    std::string_view word = is_first ? without_byte_order_mark(*line) : *line;
    word.remove_suffix(word.ends_with('\r') ? 1 : 0);
    if (!word.empty()) {
      words.emplace_back(word);
    }
  }
}

Result<HandlerFile> read_handler(const std::string& path) {
  SystemFileSystem files;
  KS_TRY_VALUE(code, files.read(path));
  if (!code) {
    return Error{ExitCode::kNoInput,
                 fmt::format("{}: is not there. Nothing was started. Check --handler.", path)};
  }
  return HandlerFile{path, *std::move(code)};
}

// One for each counting thread; none at all without --handler.
Result<std::vector<std::unique_ptr<Handler>>> make_handlers(const Settings& settings,
                                                            std::size_t count) {
  std::vector<std::unique_ptr<Handler>> handlers(count);
  if (!settings.handler) {
    return handlers;
  }
  KS_TRY_VALUE(file, read_handler(*settings.handler));
  for (auto& handler : handlers) {
    KS_TRY_VALUE(made, Handler::create(file));
    handler = std::move(made);
  }
  const Decoding decoding = settings.decode.decoding;
  if (handlers.front()->has_decode() && decoding != Decoding::kUtf8 &&
      decoding != Decoding::kBytes) {
    return Error{ExitCode::kUsage,
                 fmt::format("handler '{}': defines decode, which takes the place of --decode {}: "
                             "leave out one of them",
                             file.name, to_string(settings.decode))};
  }
  return handlers;
}

}  // namespace

Result<CountingFiles> read_counting_files(const Settings& settings, std::size_t counters) {
  CountingFiles files;
  if (settings.stop_words) {
    KS_TRY_VALUE(words, read_stop_words(*settings.stop_words));
    files.stop_words = std::move(words);
  }
  KS_TRY_VALUE(handlers, make_handlers(settings, counters));
  files.handlers = std::move(handlers);
  return files;
}

std::vector<Counter> make_counters(const Settings& settings, CountingFiles files,
                                   std::uint64_t memory_bytes, ScratchSpace& space) {
  CountOptions options;
  options.decode = settings.decode;
  options.split = settings.split;
  options.kernel = settings.kernel;
  options.on_invalid = settings.on_invalid;
  options.filter = WordFilter(settings.is_lower, settings.characters_min, files.stop_words);
  options.memory_bytes = memory_bytes;
  options.space = &space;
  std::random_device random;
  const std::uint64_t seed = (std::uint64_t{random()} << 32) | random();
  std::vector<Counter> counters;
  counters.reserve(files.handlers.size());
  for (auto& handler : files.handlers) {
    counters.emplace_back(options, seed, std::move(handler));
  }
  return counters;
}

}  // namespace kstream
