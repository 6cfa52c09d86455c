// Writes one segment, group by group.
//
// Contract: a segment gets its name when its header and its first group are durable. write_group()
//   returns ok when the group is durable; after a transient error nothing of it is in the file.
// Thread: one at a time. Errors: 74; a full disk is transient.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/file_system.h"
#include "wal/format.h"

namespace kstream::wal {

class SegmentWriter {
 public:
  // Under its temporary name, empty, with a place for so many bytes.
  static Result<std::unique_ptr<SegmentWriter>> create(FileSystem& files, std::string directory,
                                                       SegmentHeader header, std::uint64_t bytes);

  // A part of the first group.
  Status add(std::string_view frames);
  // The first group is whole: it and the header are on the disk.
  Status finish_first_group();
  Status give_name();

  Status write_group(std::string_view frames);
  Status extend(std::uint64_t bytes);
  // Gives back the place behind what is written.
  Status cut(std::uint64_t bytes);
  // For good.
  Status sync_length();

  const SegmentHeader& header() const { return header_; }
  std::uint64_t end() const { return end_; }      // of what is written
  std::uint64_t bytes() const { return bytes_; }  // of the file
  std::uint64_t next_group_at() const { return align_up(end_); }

 private:
  SegmentWriter(FileSystem& files, std::string directory, SegmentHeader header)
      : files_(&files), directory_(std::move(directory)), header_(header) {}
  std::string path() const;

  FileSystem* files_;
  std::string directory_;
  SegmentHeader header_;
  std::unique_ptr<WritableFile> file_;
  std::uint64_t end_ = kSegmentHeaderBytes;
  std::uint64_t bytes_ = 0;
};

}  // namespace kstream::wal
