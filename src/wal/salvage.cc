#include "wal/salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "wal/format.h"
#include "wal/write_ahead_log.h"

namespace kstream::wal {
namespace {

constexpr std::uint64_t kStep = 8;  // frames stand at multiples of it

struct Found {
  FrameHeader header;
  FramePlace place;
  std::string payload;  // of RECORDS without the block
};

// A block, or, without records in the log any more, a hole where one was.
struct Piece {
  LoggedBlock block;
  bool is_hole = false;
  std::uint64_t stretch = 0;  // the number of gaps before it
};

bool lies_in(const OffsetRange& inner, const std::vector<OffsetRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const OffsetRange& range) {
    return range.partition == inner.partition && range.from <= inner.from &&
           inner.until <= range.until;
  });
}

class Salvager {
 public:
  Salvager(FileSystem& files, const std::string& directory)
      : files_(files), directory_(directory) {}

  Result<Salvaged> run() {
    result_.directory = directory_;
    KS_TRY_VALUE(names, files_.names(directory_));
    for (const std::string& name : names) {
      if (const auto number = segment_number(name)) {
        KS_TRY(scan(name, *number));
      }
    }
    find_topics();
    for (const Found& frame : frames_) {
      apply(frame);
    }
    finish();
    return std::move(result_);
  }

 private:
  Status scan(const std::string& name, std::uint64_t number) {
    KS_TRY_VALUE(text, files_.read(directory_ + "/" + name));
    const std::string_view bytes = text ? std::string_view(*text) : std::string_view();
    const std::string_view head = bytes.substr(0, kSegmentHeaderBytes);
    if (!decode_segment_header(head).ok()) {
      result_.damages.push_back(fmt::format("{}: bytes 0 to {}", name, kSegmentHeaderBytes));
    }
    const std::uint64_t seed = seed_in(head);
    result_.seeds[number] = seed;
    std::uint64_t bad_from = kSegmentHeaderBytes;
    for (std::uint64_t at = bad_from; at < bytes.size();) {
      const auto header = decode_frame_header(bytes.substr(at), seed);
      const auto padded = [&] {
        return bytes.substr(at + kFrameHeaderBytes, header->padded_payload_bytes());
      };
      if (!header || !is_payload_of(*header, padded(), seed)) {
        at += kStep;
        continue;
      }
      note_damage(name, bytes, bad_from, at);
      take(*header, {number, at, static_cast<std::uint32_t>(header->frame_bytes())},
           padded().substr(0, header->payload_bytes));
      at = bad_from = at + header->frame_bytes();
    }
    note_damage(name, bytes, bad_from, bytes.size());
    return {};
  }

  void note_damage(const std::string& name, std::string_view bytes, std::uint64_t from,
                   std::uint64_t until) {
    if (from < until && !is_zero(bytes.substr(from, until - from))) {
      from = bytes.find_first_not_of('\0', from) / kStep * kStep;
      result_.damages.push_back(fmt::format("{}: bytes {} to {}", name, from, until));
    }
  }

  // A segment that a recovery has replaced holds the same frames as the next one.
  void take(const FrameHeader& header, const FramePlace& place, std::string_view payload) {
    if (!frames_.empty() && header.sequence <= frames_.back().header.sequence) {
      return;
    }
    if (header.known_type() == FrameType::kRecords) {
      if (const auto records = decode_records(payload); records.ok()) {
        payload.remove_suffix(records.value().content.size());
      }
    }
    frames_.push_back({header, place, std::string(payload)});
  }

  // The table only ever grows, so the largest one serves for all frames.
  void find_topics() {
    for (const Found& frame : frames_) {
      if (frame.header.known_type() == FrameType::kState) {
        auto state = decode_state(frame.payload);
        if (state.ok() &&
            state.value().topics.names().size() >= result_.state.topics.names().size()) {
          result_.state.topics = std::move(state.value().topics);
          result_.has_state = true;
        }
      }
    }
  }

  void apply(const Found& frame) {
    if (frame.header.sequence != next_sequence_) {
      if (!is_first_) {
        ++gaps_;
        result_.damages.push_back(fmt::format("before byte {} of {}: frames {} to {} are missing",
                                              frame.place.at, segment_name(frame.place.segment),
                                              next_sequence_, frame.header.sequence - 1));
      } else if (frame.header.known_type() != FrameType::kState) {
        ++gaps_;
      }
    }
    next_sequence_ = frame.header.sequence + 1;
    const Topics& topics = result_.state.topics;
    switch (frame.header.known_type()) {
      case FrameType::kRecords:
        if (const auto records = decode_records(frame.payload); records.ok()) {
          apply_records(frame, records.value());
        }
        break;
      case FrameType::kBatch:
        if (const auto plan = decode_batch(topics, frame.payload); plan.ok()) {
          plan_batch(plan.value());
        }
        break;
      case FrameType::kProcessed:
        if (const auto id = decode_processed(frame.payload); id.ok()) {
          process(id.value());
        }
        break;
      case FrameType::kState:
        if (const auto state = decode_state(frame.payload); state.ok()) {
          apply_state(state.value());
        }
        break;
      case FrameType::kCommitted:
        if (const auto committed = decode_offsets(topics, frame.payload); committed.ok()) {
          result_.state.acknowledge(committed.value());
        }
        break;
      case FrameType::kSeal:
        break;
    }
    is_first_ = false;
  }

  void apply_records(const Found& frame, const RecordsPayload& records) {
    const std::vector<std::string>& names = result_.state.topics.names();
    if (records.topic >= names.size()) {
      ++result_.blocks_unknown;
      return;
    }
    const OffsetRange covers{
        {names[records.topic], records.partition}, records.from, records.until};
    move_end(covers.partition, covers.from);
    unplanned_.push_back({{covers, frame.header.records, frame.place}, false, gaps_});
    result_.state.ends[covers.partition] = covers.until;
  }

  // Where frames are missing since the partition's end was seen, what is up to `end` was in them.
  void move_end(const TopicPartition& partition, Offset end) {
    OffsetMap& ends = result_.state.ends;
    const auto known = ends.find(partition);
    if (known != ends.end() && known->second < end && seen_[partition] != gaps_) {
      unplanned_.push_back({{{partition, known->second, end}, 0, {}}, true, gaps_});
    }
    if (known == ends.end() && gaps_ > 0) {
      result_.damages.push_back(
          fmt::format("of {} nothing is known below offset {}", to_string(partition), end));
    }
    seen_[partition] = gaps_;
    if (known == ends.end() || known->second < end) {
      ends[partition] = end;
    }
  }

  // It owns what lies in its ranges. The batch before was processed, and whatever else there was.
  void plan_batch(const BatchPlan& plan) {
    for (const OffsetRange& range : plan.ranges) {
      if (!range.is_empty()) {
        add_missing(range);
      }
    }
    planned_.clear();
    for (Piece& piece : unplanned_) {
      if (lies_in(piece.block.covers, plan.ranges)) {
        planned_.push_back(std::move(piece));
      }
    }
    unplanned_.clear();
    result_.state.last_batch = *plan.id;
    result_.state.last_time_ms = plan.time_ms;
    result_.state.in_hand = plan.ranges;
    batch_stretch_ = gaps_;
  }

  // A hole for each part of the range that no piece covers.
  void add_missing(const OffsetRange& range) {
    Offset at = range.from;
    std::vector<Piece> holes;
    const auto add = [&](Offset until) {
      if (at < until) {
        holes.push_back({{{range.partition, at, until}, 0, {}}, true, gaps_});
      }
    };
    for (const Piece& piece : unplanned_) {
      const OffsetRange& covers = piece.block.covers;
      if (covers.partition == range.partition && lies_in(covers, {range})) {
        add(covers.from);
        at = std::max(at, covers.until);
      }
    }
    add(range.until);
    unplanned_.insert(unplanned_.end(), holes.begin(), holes.end());
    Offset& end = result_.state.ends[range.partition];
    end = std::max(end, range.until);
    seen_[range.partition] = gaps_;
  }

  void process(BatchId id) {
    if (id > result_.state.last_batch) {
      // Its BATCH is gone: what was logged in one stretch with the BATCH before it was its own.
      std::erase_if(unplanned_,
                    [&](const Piece& piece) { return piece.stretch == batch_stretch_; });
      batch_stretch_ = gaps_;
    }
    result_.state.last_batch = id;
    result_.state.in_hand.reset();
    planned_.clear();
  }

  void apply_state(const LogState& next) {
    LogState& state = result_.state;
    if (is_first_ || gaps_ > 0) {
      for (const auto& [partition, end] : next.ends) {
        move_end(partition, end);
      }
      if (next.in_hand && (next.last_batch > state.last_batch || is_first_)) {
        plan_of(next);
      } else if (!next.in_hand && next.last_batch >= state.last_batch) {
        process(next.last_batch);
        state.last_time_ms = next.last_time_ms;
      }
      if (next.unplanned == 0) {
        unplanned_.clear();
      }
      if (is_first_) {
        result_.blocks_unknown += next.unplanned;
      }
    }
    state.acknowledge(next.acknowledged);
  }

  // What came after it stays of no batch.
  void plan_of(const LogState& next) {
    std::vector<Piece> later;
    for (const Piece& piece : unplanned_) {
      if (!lies_in(piece.block.covers, *next.in_hand)) {
        later.push_back(piece);
      }
    }
    plan_batch({next.last_batch, next.last_time_ms, *next.in_hand});
    unplanned_ = std::move(later);
  }

  void finish() {
    for (const auto& [partition, offset] : result_.state.acknowledged) {
      if (result_.state.ends.contains(partition)) {
        move_end(partition, offset);  // nothing is committed that was not logged
      }
    }
    for (auto [pieces, blocks] :
         {std::pair(&planned_, &result_.planned), std::pair(&unplanned_, &result_.unplanned)}) {
      for (const Piece& piece : *pieces) {
        if (!piece.is_hole) {
          blocks->push_back(piece.block);
          continue;
        }
        result_.lost.push_back(piece.block.covers);
        if (pieces == &planned_) {
          cut(*result_.state.in_hand, piece.block.covers);
        }
      }
    }
    std::sort(result_.lost.begin(), result_.lost.end(), [](const auto& a, const auto& b) {
      return std::pair(a.partition, a.from) < std::pair(b.partition, b.from);
    });
    for (auto lost = result_.lost.rbegin(); lost != result_.lost.rend(); ++lost) {
      Offset& end = result_.state.ends[lost->partition];
      end = lost->until == end ? lost->from : end;
    }
  }

  static void cut(std::vector<OffsetRange>& ranges, const OffsetRange& hole) {
    std::vector<OffsetRange> left;
    for (const OffsetRange& range : ranges) {
      if (!lies_in(hole, {range})) {
        left.push_back(range);
        continue;
      }
      left.push_back({range.partition, range.from, hole.from});
      if (hole.until < range.until) {
        left.push_back({range.partition, hole.until, range.until});
      }
    }
    ranges = std::move(left);
  }

  FileSystem& files_;
  const std::string& directory_;
  std::vector<Found> frames_;
  Sequence next_sequence_ = 0;
  bool is_first_ = true;
  std::uint64_t gaps_ = 0;
  std::uint64_t batch_stretch_ = 0;               // of the last BATCH
  std::map<TopicPartition, std::uint64_t> seen_;  // the stretch in which its end was
  std::vector<Piece> planned_;
  std::vector<Piece> unplanned_;
  Salvaged result_;
};

Status log_blocks(FileSystem& files, WriteAheadLog& log, const Salvaged& found,
                  const std::vector<LoggedBlock>& blocks) {
  for (const LoggedBlock& logged : blocks) {
    const FramePlace& place = logged.place;
    std::string frame(place.bytes, '\0');
    KS_TRY(files.read_at(fmt::format("{}/{}", found.directory, segment_name(place.segment)),
                         place.at, frame));
    const auto header = decode_frame_header(frame, found.seeds.at(place.segment));
    KS_CHECK(header);
    KS_TRY_VALUE(records, decode_records(std::string_view(frame).substr(kFrameHeaderBytes,
                                                                        header->payload_bytes)));
    RecordBlock block(0);
    if (!block.load(logged.covers.partition, logged.records, records.content)) {
      block.start(logged.covers.partition);
    }
    const BlockToLog one{&block, logged.covers};
    KS_TRY(log.append({&one, 1}));
  }
  return {};
}

}  // namespace

Result<Salvaged> salvage(FileSystem& files, const std::string& directory) {
  return Salvager(files, directory).run();
}

Status rewrite(FileSystem& files, Clock& clock, const Salvaged& found, const std::string& directory,
               const std::string& stream_uuid) {
  const LogState& state = found.state;
  const bool has_batch = state.in_hand.has_value();
  Beginning beginning{state.ends, state.last_batch - (has_batch ? 1 : 0),
                      state.last_time_ms - (has_batch ? 1 : 0)};
  beginning.options.bytes_max =
      std::numeric_limits<std::uint64_t>::max();  // it held as much before
  for (const auto* blocks : {&found.planned, &found.unplanned}) {
    for (const LoggedBlock& block : *blocks) {
      Offset& end = beginning.ends[block.covers.partition];
      end = std::min(end, block.covers.from);
    }
  }
  KS_TRY_VALUE(log, WriteAheadLog::create_after(beginning, files, clock, directory, stream_uuid));
  KS_TRY(log_blocks(files, *log, found, found.planned));
  if (has_batch) {
    const BatchPlan plan{state.last_batch, state.last_time_ms, *state.in_hand};
    KS_TRY(log->append_batch(std::nullopt, &plan));
  }
  KS_TRY(log_blocks(files, *log, found, found.unplanned));
  log->acknowledge(state.acknowledged);
  return log->append_batch(std::nullopt, nullptr);
}

}  // namespace kstream::wal
