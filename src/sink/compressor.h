// Text to compressed bytes, piece by piece. The same text gives the same bytes.
//
// Thread: one at a time.
// Errors: those of the function that takes the bytes.
// Limits: zstd at its usual level needs about 4 MiB, gzip 256 KiB.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "model/presentation.h"
#include "sink/format.h"

namespace kstream {

// What a file's name ends with: "", ".gz", ".zst".
std::string_view file_suffix(Compression compression);

class Compressor {
 public:
  virtual ~Compressor() = default;
  virtual Status write(std::string_view text) = 0;
  // Once, at the end.
  virtual Status finish() = 0;
};

std::unique_ptr<Compressor> make_compressor(Compression compression, EmitText emit);

}  // namespace kstream
