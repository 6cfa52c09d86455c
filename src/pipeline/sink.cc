#include "pipeline/sink.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <string>

namespace kstream {

std::uint64_t fingerprint(const BatchPlan& plan) {
  std::string text = fmt::format("{} {}", plan.id.value_or(0), plan.time_ms);
  for (const OffsetRange& range : plan.ranges) {
    text += fmt::format(" {}:{}:{}:{}", range.partition.topic, range.partition.partition,
                        range.from, range.until);
  }
  return XXH3_64bits(text.data(), text.size());
}

Error overtaken(const Sink& sink, const std::string& stream, BatchId held, BatchId next) {
  return Error{ExitCode::kTryAgain,
               fmt::format("{}: holds batch {} of stream '{}' now: another process has written it. "
                           "Batch {} was not. Let one process write the stream, or give it another "
                           "name with --name.",
                           sink.name(), held, stream, next)};
}

}  // namespace kstream
