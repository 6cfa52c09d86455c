// A run: words with counts in an order, on a disk.
//
// Format: blocks; each has the number of its bytes and their XXH3-64 (8 bytes each), then entries:
//   length (varint), word, count (varint). It is read by the process that wrote it.
// Thread: one at a time; several readers may read one run.
// Errors: 74 of the disk or when there is no room; also when what is read is not what was written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/batch.h"
#include "os/scratch_file.h"
#include "spill/scratch_space.h"

namespace kstream {

class Run {
 public:
  static Result<Run> create(ScratchSpace& space);
  Run(Run&& other) noexcept
      : space_(std::exchange(other.space_, nullptr)),
        file_(std::move(other.file_)),
        reserved_(other.reserved_),
        words_(other.words_) {}
  Run& operator=(Run&& other) noexcept {
    std::swap(space_, other.space_);
    std::swap(file_, other.file_);
    std::swap(reserved_, other.reserved_);
    std::swap(words_, other.words_);
    return *this;
  }
  ~Run() {
    if (space_ != nullptr) {
      space_->release(reserved_);
    }
  }

  std::uint64_t words() const { return words_; }

 private:
  friend class RunWriter;
  friend class RunReader;
  Run(ScratchSpace& space, ScratchFile file) : space_(&space), file_(std::move(file)) {}

  ScratchSpace* space_;  // null: moved from
  ScratchFile file_;
  std::uint64_t reserved_ = 0;  // bytes of the space
  std::uint64_t words_ = 0;
};

// Fills a run; the caller sees to the order.
class RunWriter {
 public:
  explicit RunWriter(Run run) : run_(std::move(run)) {}

  Status add(const WordCount& word);
  // Once, at the end.
  Result<Run> finish() &&;

 private:
  Status write_block();

  Run run_;
  std::string block_;
};

// Walks a run, which outlives the reader.
class RunReader {
 public:
  static constexpr std::size_t kBlockBytes = 64 * 1024;  // longer by a word at most

  explicit RunReader(const Run& run) : run_(&run) {}

  // Goes on to the next word; false at the end.
  Result<bool> next() {
    if (rest_.empty()) {
      KS_TRY_VALUE(is_there, read_block());
      if (!is_there) {
        return false;
      }
    }
    word_ = take_word();
    return true;
  }
  // Valid until the call of next().
  const WordCount& word() const { return word_; }

 private:
  Result<bool> read_block();
  WordCount take_word();

  const Run* run_;
  std::uint64_t at_ = 0;
  std::vector<char> block_;
  std::string_view rest_;
  WordCount word_;
};

}  // namespace kstream
