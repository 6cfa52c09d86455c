// Where batches go, as --output names it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace kstream {

enum class OutputKind { kStdout, kFiles, kSqlite, kPostgres, kKafka };

struct OutputTarget {
  OutputKind kind = OutputKind::kStdout;
  std::string place;  // what follows the kind: a file, a URL with its secrets, ...
  bool operator==(const OutputTarget&) const = default;
};

// stdout, file:DIR, sqlite:FILE, postgres:URL or kafka:TOPIC. Errors: 64, never with a secret in
// it.
Result<OutputTarget> parse_output(std::string_view text);

}  // namespace kstream
