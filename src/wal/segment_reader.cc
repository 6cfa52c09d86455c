#include "wal/segment_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace kstream::wal {
namespace {

constexpr std::uint64_t kWindowBytes = std::uint64_t{64} * 1024;

}  // namespace

Error corrupt(const std::string& path, std::uint64_t at, const std::string& rule) {
  return Error{ExitCode::kData,
               fmt::format("{}: byte {}: {}. No crash leaves this: the log is damaged. Nothing was "
                           "changed. Restore the state directory as a whole, or go on with what is "
                           "good of it: kstream state repair, or begin anew with another "
                           "--state-dir.",
                           path, at, rule)};
}

Result<SegmentReader> SegmentReader::open(FileSystem& files, std::string path) {
  SegmentReader reader(files, std::move(path));
  KS_TRY_VALUE(bytes, reader.bytes_at(0, kSegmentHeaderBytes));
  const auto header = decode_segment_header(bytes);
  if (!header.ok()) {
    return corrupt(reader.path_, 0, header.error().text);
  }
  reader.header_ = header.value();
  reader.sequence_ = header.value().first_sequence;
  return reader;
}

Result<std::optional<Frame>> SegmentReader::next() {
  if (is_finished_) {
    return std::optional<Frame>();
  }
  if (is_sealed_) {
    KS_TRY(finish_sealed());
    return std::optional<Frame>();
  }
  std::uint64_t start = at_;
  KS_TRY(find_start(start));
  KS_TRY_VALUE(head, bytes_at(start, kFrameHeaderBytes));
  const auto header = decode_frame_header(head, header_.seed);
  if (!header) {
    KS_TRY(finish_without_frame(start));
    return std::optional<Frame>();
  }
  const bool must_begin = start != at_ || at_ == kSegmentHeaderBytes;
  if (header->sequence != sequence_ || (must_begin && !header->begins_group) ||
      (header->begins_group && start % kAlignment != 0)) {
    finish(SegmentEnd::kCorrupt, start,
           fmt::format("frame {} stands where {} frame {} belongs", header->sequence,
                       must_begin ? "a group with" : "", sequence_));
    return std::optional<Frame>();
  }
  KS_TRY_VALUE(bytes, bytes_at(start, header->frame_bytes()));
  if (const auto padded = bytes.substr(std::min(bytes.size(), kFrameHeaderBytes));
      !is_payload_of(*header, padded, header_.seed)) {
    KS_TRY(finish_damaged(
        start, padded.size() < header->padded_payload_bytes()
                   ? fmt::format("frame {} is cut off: {} of {} bytes are there", sequence_,
                                 bytes.size(), header->frame_bytes())
                   : fmt::format("the payload of frame {} does not have its hash", sequence_)));
    return std::optional<Frame>();
  }
  at_ = start + header->frame_bytes();
  ++sequence_;
  last_hash_ = header->payload_hash;
  is_sealed_ = header->known_type() == FrameType::kSeal;
  return std::optional(
      Frame{*header, bytes.substr(kFrameHeaderBytes, header->payload_bytes), start});
}

// Where the next frame begins: at once, or after the zeros before a new group.
Status SegmentReader::find_start(std::uint64_t& start) {
  const std::uint64_t aligned = align_up(at_);
  KS_TRY_VALUE(gap, bytes_at(at_, aligned - at_));
  start = is_zero(gap) ? aligned : at_;
  return {};
}

Status SegmentReader::finish_sealed() {
  KS_TRY_VALUE(more, first_byte(at_));
  if (more) {
    finish(SegmentEnd::kCorrupt, *more, "something follows the segment's SEAL");
  } else {
    finish(SegmentEnd::kSealed, at_, "");
  }
  return {};
}

Status SegmentReader::finish_without_frame(std::uint64_t at) {
  KS_TRY_VALUE(more, first_byte(at));
  if (!more && at >= header_.bytes_when_named) {
    finish(SegmentEnd::kClean, at, "");
    return {};
  }
  return finish_damaged(at, more ? fmt::format("frame {} does not begin there", sequence_)
                                 : fmt::format("frame {} is missing", sequence_));
}

Status SegmentReader::finish_damaged(std::uint64_t at, std::string damage) {
  if (at < header_.bytes_when_named) {
    finish(SegmentEnd::kCorrupt, at,
           fmt::format("{}, although the first {} bytes were durable", damage,
                       header_.bytes_when_named));
    return {};
  }
  KS_TRY_VALUE(later, later_group(at));
  if (later) {
    damage += fmt::format(", although another group begins at byte {}", *later);
  }
  finish(later ? SegmentEnd::kCorrupt : SegmentEnd::kTorn, at, std::move(damage));
  return {};
}

void SegmentReader::finish(SegmentEnd end, std::uint64_t at, std::string damage) {
  is_finished_ = true;
  window_ = {};
  end_ = end;
  damage_at_ = at;
  damage_ = std::move(damage);
}

Result<std::optional<std::uint64_t>> SegmentReader::first_byte(std::uint64_t from) {
  while (true) {
    KS_TRY_VALUE(bytes, bytes_at(from, kWindowBytes));
    const std::size_t found = bytes.find_first_not_of('\0');
    if (found != bytes.npos) {
      return std::optional(from + found);
    }
    if (bytes.size() < kWindowBytes) {
      return std::optional<std::uint64_t>();
    }
    from += bytes.size();
  }
}

// Its header is enough: it was not written before the group in front of it was durable.
Result<std::optional<std::uint64_t>> SegmentReader::later_group(std::uint64_t from) {
  for (std::uint64_t at = align_up(from + 1);; at += kAlignment) {
    KS_TRY_VALUE(bytes, bytes_at(at, kFrameHeaderBytes));
    if (bytes.size() < kFrameHeaderBytes) {
      return std::optional<std::uint64_t>();
    }
    const auto header = decode_frame_header(bytes, header_.seed);
    if (header && header->begins_group) {
      return std::optional(at);
    }
  }
}

Result<std::string_view> SegmentReader::bytes_at(std::uint64_t at, std::uint64_t count) {
  if (at < window_at_ || at + count > window_at_ + window_.size()) {
    window_.resize(at == 0 ? count : std::max(count, kWindowBytes));
    KS_TRY_VALUE(got, files_->read_at(path_, at, window_));
    window_.resize(got);
    window_at_ = at;
    file_bytes_ = std::max(file_bytes_, got == 0 ? 0 : at + got);
  }
  const std::uint64_t skip = std::min(at - window_at_, std::uint64_t{window_.size()});
  return std::string_view(window_).substr(skip, count);
}

}  // namespace kstream::wal
