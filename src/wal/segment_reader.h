// Reads one segment, frame by frame. next() gives a frame, or end() says why there is none:
//   kSealed    the writer rolled on to the next segment
//   kClean     zeros to the end of the file: the writer stopped between groups
//   kTorn      the last group was cut by a crash: nothing durable follows
//   kCorrupt   the damage lies before something that was written after it had been durable
//
// Source: each group is durable before the next one is begun, and the first one before the segment
//   gets its name. So a crash damages the last group only, and leaves none that begins behind it.
// Thread: one at a time. Errors: 74 when the file cannot be read, 65 for its header.
// Limits: memory for the largest frame, or 64 KiB.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/file_system.h"
#include "wal/format.h"

namespace kstream::wal {

struct Frame {
  FrameHeader header;
  std::string_view payload;  // valid until the next frame is read
  std::uint64_t at = 0;
};

enum class SegmentEnd { kSealed, kClean, kTorn, kCorrupt };

// Of the file at that byte.
Error corrupt(const std::string& path, std::uint64_t at, const std::string& rule);

class SegmentReader {
 public:
  static Result<SegmentReader> open(FileSystem& files, std::string path);

  const std::string& path() const { return path_; }
  const SegmentHeader& header() const { return header_; }
  Result<std::optional<Frame>> next();

  // After the last frame:
  SegmentEnd end() const { return end_; }
  std::uint64_t end_at() const { return at_; }  // behind the last good frame
  std::uint64_t last_hash() const { return last_hash_; }
  Sequence next_sequence() const { return sequence_; }
  std::uint64_t file_bytes() const { return file_bytes_; }
  // What is wrong, and where; when it is torn or corrupt.
  const std::string& damage() const { return damage_; }
  std::uint64_t damage_at() const { return damage_at_; }

 private:
  SegmentReader(FileSystem& files, std::string path) : files_(&files), path_(std::move(path)) {}

  // These bytes of the file, fewer at its end.
  Result<std::string_view> bytes_at(std::uint64_t at, std::uint64_t count);
  Status find_start(std::uint64_t& start);
  Status finish_sealed();
  Status finish_without_frame(std::uint64_t at);
  Status finish_damaged(std::uint64_t at, std::string damage);
  // The first place from there on that is not zero; nothing when there is none.
  Result<std::optional<std::uint64_t>> first_byte(std::uint64_t from);
  Result<std::optional<std::uint64_t>> later_group(std::uint64_t from);
  void finish(SegmentEnd end, std::uint64_t at, std::string damage);

  FileSystem* files_;
  std::string path_;
  SegmentHeader header_;
  std::string window_;  // the file from window_at_ on
  std::uint64_t window_at_ = 0;
  std::uint64_t file_bytes_ = 0;

  std::uint64_t at_ = kSegmentHeaderBytes;
  Sequence sequence_ = 0;
  std::uint64_t last_hash_ = 0;
  bool is_sealed_ = false;
  bool is_finished_ = false;
  SegmentEnd end_ = SegmentEnd::kClean;
  std::string damage_;
  std::uint64_t damage_at_ = 0;
};

}  // namespace kstream::wal
