// The counters of a run, as the settings and the files that they name say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "handler/handler.h"
#include "pipeline/counter.h"
#include "spill/scratch_space.h"

namespace kstream {

// What --stopwords and --handler name, read.
struct CountingFiles {
  std::vector<std::string> stop_words;
  std::vector<std::unique_ptr<Handler>> handlers;  // one for each counter; null without --handler

  // Whether anybody looks at the records' headers.
  bool needs_headers() const {
    return handlers.front() != nullptr && handlers.front()->has_handle();
  }
};

// Errors: 66 a file is missing, 78 the handler's is wrong, 64 it does not go with --decode.
Result<CountingFiles> read_counting_files(const Settings& settings, std::size_t counters);

// As many as there are handlers, each with so much memory.
std::vector<Counter> make_counters(const Settings& settings, CountingFiles files,
                                   std::uint64_t memory_bytes, ScratchSpace& space);

}  // namespace kstream
