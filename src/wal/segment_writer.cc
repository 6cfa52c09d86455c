#include "wal/segment_writer.h"

#include <fmt/format.h>

namespace kstream::wal {

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(FileSystem& files,
                                                             std::string directory,
                                                             SegmentHeader header,
                                                             std::uint64_t bytes) {
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(files, std::move(directory), header));
  KS_TRY_VALUE(file, files.create(writer->path() + std::string(kTemporarySuffix)));
  writer->file_ = std::move(file);
  KS_TRY(writer->extend(bytes));
  return writer;
}

Status SegmentWriter::add(std::string_view frames) {
  KS_TRY(file_->write_at(end_, frames));
  end_ += frames.size();
  return {};
}

Status SegmentWriter::finish_first_group() {
  header_.bytes_when_named = end_;
  KS_TRY(file_->write_at(0, encode(header_)));
  return file_->sync();
}

Status SegmentWriter::give_name() {
  KS_TRY(files_->rename(path() + std::string(kTemporarySuffix), path()));
  return files_->sync_directory(directory_);
}

Status SegmentWriter::write_group(std::string_view frames) {
  if (Status written = file_->write_at(next_group_at(), frames); !written.ok()) {
    if (written.error().is_transient) {
      // The next group may be shorter: nothing of this one may stand behind it.
      KS_TRY(cut(end_));
    }
    return written;
  }
  KS_TRY(file_->sync());
  end_ = next_group_at() + frames.size();
  return {};
}

Status SegmentWriter::extend(std::uint64_t bytes) {
  KS_TRY(file_->extend(bytes_, bytes));
  bytes_ = bytes;
  return {};
}

Status SegmentWriter::cut(std::uint64_t bytes) {
  KS_TRY(file_->truncate(bytes));
  bytes_ = bytes;
  return {};
}

Status SegmentWriter::sync_length() {
  return file_->sync();
}

std::string SegmentWriter::path() const {
  return fmt::format("{}/{}", directory_, segment_name(header_.number));
}

}  // namespace kstream::wal
