#include "wal/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kstream::wal {
namespace {

constexpr std::size_t kCopyBytes = std::size_t{1024} * 1024;  // written at once

Error broken(std::string rule) {
  return Error{ExitCode::kData, std::move(rule)};
}

class Recovery {
 public:
  Recovery(FileSystem& files, const std::string& directory, const std::optional<StreamId>& stream,
           const FrameVisitor& visitor)
      : files_(files), directory_(directory), stream_(stream), visitor_(visitor) {}

  Result<Recovered> run() {
    KS_TRY(find_segments());
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      // A segment that begins with the same frame holds what is needed of this one.
      if (i + 1 < readers_.size() &&
          readers_[i + 1].header().first_sequence == readers_[i].header().first_sequence) {
        found_.obsolete.push_back(segment_name(readers_[i].header().number));
      } else {
        KS_TRY(read(readers_[i], i + 1 == readers_.size()));
      }
    }
    KS_TRY(check_nothing_missing());
    return std::move(found_);
  }

 private:
  std::string path(std::string_view name) const { return fmt::format("{}/{}", directory_, name); }

  Status find_segments() {
    KS_TRY_VALUE(names, files_.names(directory_));
    for (const std::string& name : names) {
      if (const auto number = segment_number(name)) {
        KS_TRY_VALUE(reader, SegmentReader::open(files_, path(name)));
        KS_TRY(check_header(reader, *number));
        readers_.push_back(std::move(reader));
      } else if (name.ends_with(kTemporarySuffix) &&
                 segment_number(name.substr(0, name.size() - kTemporarySuffix.size()))) {
        found_.obsolete.push_back(name);
      }
    }
    if (readers_.empty()) {
      return Error{ExitCode::kData,
                   fmt::format("{}: the log is missing: no segment is there. Nothing was changed. "
                               "Restore the state directory as a whole, or begin anew with "
                               "another --state-dir.",
                               directory_)};
    }
    return {};
  }

  Status check_header(const SegmentReader& reader, std::uint64_t number) const {
    if (reader.header().number != number) {
      return corrupt(reader.path(), 32,
                     fmt::format("its header says that it is segment {}", reader.header().number));
    }
    if (stream_ && reader.header().stream != *stream_) {
      return Error{
          ExitCode::kConfig,
          fmt::format("{}: belongs to stream {}, not to {}. Nothing was read and nothing "
                      "was changed. Name the state directory of this stream.",
                      reader.path(), to_string(reader.header().stream), to_string(*stream_))};
    }
    return {};
  }

  Status read(SegmentReader& reader, bool is_last) {
    KS_TRY(check_predecessor(reader));
    found_.last = reader.header();
    found_.state.segments.push_back({reader.header().number, reader.header().seed, 0, 0, 0, {}});
    is_first_frame_ = true;
    while (true) {
      KS_TRY_VALUE(frame, reader.next());
      if (!frame) {
        break;
      }
      if (const Status applied = apply(*frame); !applied.ok()) {
        return corrupt(reader.path(), frame->at, applied.error().text);
      }
      if (visitor_) {
        visitor_(segment_name(reader.header().number), *frame, found_.state);
      }
      is_first_frame_ = false;
    }
    return finish(reader, is_last);
  }

  Status check_predecessor(const SegmentReader& reader) const {
    const SegmentHeader& header = reader.header();
    if (found_.state.segments.empty()) {
      return {};
    }
    if (header.first_sequence != found_.next_sequence) {
      return corrupt(reader.path(), 40,
                     fmt::format("it begins with frame {}, the segment before it, {}, ends before "
                                 "frame {}: a segment between is missing",
                                 header.first_sequence, segment_name(found_.last.number),
                                 found_.next_sequence));
    }
    if (header.predecessor_bytes != found_.end_at || header.predecessor_hash != found_.last_hash) {
      return corrupt(
          reader.path(), 56,
          fmt::format("it follows a segment of {} bytes, {} has {}, or another last "
                      "frame",
                      header.predecessor_bytes, segment_name(found_.last.number), found_.end_at));
    }
    return {};
  }

  Status finish(const SegmentReader& reader, bool is_last) {
    found_.state.segments.back().bytes = reader.file_bytes();
    found_.end = reader.end();
    found_.end_at = reader.end_at();
    found_.last_hash = reader.last_hash();
    found_.next_sequence = reader.next_sequence();
    found_.damage = reader.damage();
    if (reader.end() == SegmentEnd::kCorrupt) {
      return corrupt(reader.path(), reader.damage_at(), reader.damage());
    }
    if (!is_last && reader.end() != SegmentEnd::kSealed) {
      return corrupt(reader.path(), reader.end_at(),
                     fmt::format("frame {} is missing: the segment has no SEAL and is not the last",
                                 reader.next_sequence()));
    }
    return {};
  }

  // Blocks that were in segments which are gone must have been processed since.
  Status check_nothing_missing() const {
    std::uint64_t blocks = found_.state.planned + found_.state.unplanned;
    for (const Segment& segment : found_.state.segments) {
      blocks -= segment.planned + segment.unplanned;
    }
    if (blocks == 0) {
      return {};
    }
    return corrupt(path(segment_name(found_.state.segments.front().number)), 0,
                   fmt::format("segments before it are missing, with {} blocks that are not "
                               "processed",
                               blocks));
  }

  Status apply(const Frame& frame) {
    if (is_first_frame_ && frame.header.known_type() != FrameType::kState) {
      return broken("the first frame is not a STATE");
    }
    if (frame.header.records != 0 && frame.header.known_type() != FrameType::kRecords) {
      return broken(fmt::format("a frame of type {} has records", frame.header.type));
    }
    switch (frame.header.known_type()) {
      case FrameType::kRecords:
        return apply_records(frame);
      case FrameType::kBatch:
        return apply_batch(frame.payload);
      case FrameType::kProcessed:
        return apply_processed(frame.payload);
      case FrameType::kState:
        return apply_state(frame.payload);
      case FrameType::kSeal:
        return frame.payload.empty() ? Status() : broken("the SEAL frame is not empty");
      case FrameType::kCommitted: {
        KS_TRY_VALUE(committed, decode_offsets(found_.state.topics, frame.payload));
        found_.state.acknowledge(committed);
        return {};
      }
    }
    return (frame.header.type & kSkippable) != 0
               ? Status()
               : broken(fmt::format("the frame's type {} is one that this kstream does not know",
                                    frame.header.type));
  }

  Status apply_records(const Frame& frame) {
    LogState& state = found_.state;
    KS_TRY_VALUE(records, decode_records(frame.payload));
    if (records.topic >= state.topics.names().size()) {
      return broken(fmt::format("the RECORDS frame names topic {} of {}", records.topic,
                                state.topics.names().size()));
    }
    const OffsetRange covers{
        {state.topics.names()[records.topic], records.partition}, records.from, records.until};
    if (const auto end = state.ends.find(covers.partition);
        end != state.ends.end() && covers.from < end->second) {
      return broken(
          fmt::format("the RECORDS frame covers {}, which begins below {}, where the "
                      "frames before it end",
                      to_string(covers), end->second));
    }
    state.log(covers);
    found_.unplanned.push_back(
        {covers,
         frame.header.records,
         {found_.last.number, frame.at, static_cast<std::uint32_t>(frame.header.frame_bytes())}});
    return {};
  }

  Status apply_batch(std::string_view payload) {
    LogState& state = found_.state;
    KS_TRY_VALUE(plan, decode_batch(state.topics, payload));
    if (state.in_hand) {
      return broken(
          fmt::format("batch {} is planned while {} is in hand", *plan.id, state.last_batch));
    }
    if (*plan.id != state.last_batch + 1) {
      return broken(fmt::format("batch {} follows batch {}", *plan.id, state.last_batch));
    }
    state.plan(plan);
    found_.planned = std::exchange(found_.unplanned, {});
    return {};
  }

  Status apply_processed(std::string_view payload) {
    KS_TRY_VALUE(id, decode_processed(payload));
    if (!found_.state.in_hand || id != found_.state.last_batch) {
      return broken(fmt::format("batch {} is processed, in hand is {}", id,
                                found_.state.in_hand ? found_.state.last_batch : 0));
    }
    found_.state.process();
    found_.planned.clear();
    return {};
  }

  Status apply_state(std::string_view payload) {
    KS_TRY_VALUE(next, decode_state(payload));
    LogState& state = found_.state;
    if (is_first_frame_ && state.segments.size() == 1) {
      next.segments = std::move(state.segments);
      state = std::move(next);
      return {};
    }
    const std::vector<std::string>& names = next.topics.names();
    if (names.size() < state.topics.names().size() ||
        !std::equal(state.topics.names().begin(), state.topics.names().end(), names.begin())) {
      return broken("the STATE frame has other topics than the frames before it");
    }
    state.topics = std::move(next.topics);
    if (encode_state(state) != payload) {
      return broken("the STATE frame differs from what the frames before it come to");
    }
    return {};
  }

  FileSystem& files_;
  const std::string& directory_;
  const std::optional<StreamId>& stream_;
  const FrameVisitor& visitor_;
  std::vector<SegmentReader> readers_;
  bool is_first_frame_ = true;  // of a segment
  Recovered found_;
};

// Where the blocks of a segment are that are still needed, in order.
std::vector<FramePlace*> kept_places(Recovered& found) {
  std::vector<FramePlace*> places;
  for (auto* blocks : {&found.planned, &found.unplanned}) {
    for (LoggedBlock& block : *blocks) {
      if (block.place.segment == found.last.number) {
        places.push_back(&block.place);
      }
    }
  }
  return places;
}

Status flush(SegmentWriter& writer, std::string& frames, Growth growth) {
  const std::uint64_t end = writer.end() + frames.size();
  if (end > writer.bytes()) {
    KS_TRY(writer.extend(align_up(end + growth.reserve, growth.step)));
  }
  KS_TRY(writer.add(frames));
  frames.clear();
  return {};
}

}  // namespace

Result<Recovered> recover(FileSystem& files, const std::string& directory,
                          const std::optional<StreamId>& stream, const FrameVisitor& visitor) {
  return Recovery(files, directory, stream, visitor).run();
}

Result<std::unique_ptr<SegmentWriter>> copy_last(FileSystem& files, const std::string& directory,
                                                 const SegmentHeader& header, Growth growth,
                                                 Recovered& found) {
  KS_TRY_VALUE(writer,
               SegmentWriter::create(files, directory, header,
                                     align_up(kSegmentHeaderBytes + growth.reserve, growth.step)));
  KS_TRY_VALUE(reader, SegmentReader::open(files, fmt::format("{}/{}", directory,
                                                              segment_name(found.last.number))));
  const std::vector<FramePlace*> kept = kept_places(found);
  auto next_kept = kept.begin();
  Sequence sequence = header.first_sequence;
  std::string frames;
  while (true) {
    KS_TRY_VALUE(frame, reader.next());
    if (!frame || frame->header.known_type() == FrameType::kSeal) {
      break;
    }
    FrameHeader copy = frame->header;
    copy.begins_group = copy.sequence == header.first_sequence;
    std::string_view payload = frame->payload;
    if (next_kept != kept.end() && (*next_kept)->at == frame->at) {
      (*next_kept)->segment = header.number;
      (*next_kept)->at = writer->end() + frames.size();
      ++next_kept;
    } else if (copy.known_type() == FrameType::kRecords) {
      KS_TRY_VALUE(records, decode_records(payload));
      payload.remove_suffix(records.content.size());
      copy.records = 0;
    }
    put_frame(frames, copy, {payload}, header.seed);
    ++sequence;
    if (frames.size() >= kCopyBytes) {
      KS_TRY(flush(*writer, frames, growth));
    }
  }
  if (sequence != found.next_sequence - (found.end == SegmentEnd::kSealed ? 1 : 0)) {
    return corrupt(reader.path(), reader.end_at(), "it has fewer frames when it is read again");
  }
  KS_TRY(flush(*writer, frames, growth));
  KS_TRY(writer->finish_first_group());
  found.next_sequence = sequence;
  return writer;
}

}  // namespace kstream::wal
