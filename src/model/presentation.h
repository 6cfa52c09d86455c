// How a batch's counts are shown to people and programs.
#pragma once

#include <cstddef>
#include <optional>

namespace kstream {

enum class OutputFormat { kPprint, kScala, kTsv, kCsv, kJson };

enum class Order {
  kCount,  // count downwards, then the word's bytes upwards
  kWord,   // the word's bytes upwards
};

// Of files.
enum class Compression { kNone, kGzip, kZstd };

struct Presentation {
  OutputFormat format = OutputFormat::kPprint;
  Order order = Order::kCount;
  std::optional<std::size_t> top;  // how many words of a batch are shown; nothing: all
  bool offsets = false;            // a line per partition and batch with its range
  // Control characters in scala and csv, which otherwise show words verbatim, become \xNN.
  bool is_terminal = false;
};

}  // namespace kstream
