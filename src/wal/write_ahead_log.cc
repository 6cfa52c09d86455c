#include "wal/write_ahead_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "telemetry/log.h"

namespace kstream::wal {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGroupBytesKept = 4 * kMiB;  // a larger group's memory is given back
constexpr std::uint64_t kSegmentsMin = 8;            // in bytes_max
constexpr std::uint64_t kRecordsHeadBytesMax = 40;   // what stands before a block in its frame

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

Error refused(const std::string& directory, const OffsetRange& covers, std::string_view why) {
  return Error{ExitCode::kData,
               fmt::format("{}: cannot log {}: {}. Nothing was written. Start again; if it comes "
                           "back, begin anew with another --state-dir.",
                           directory, to_string(covers), why)};
}

}  // namespace

WriteAheadLog::WriteAheadLog(FileSystem& files, Clock& clock, std::string directory,
                             StreamId stream, Options options)
    : files_(files),
      clock_(clock),
      directory_(std::move(directory)),
      stream_(stream),
      options_(options) {
  options_.segment_bytes = std::min(options_.segment_bytes, options_.bytes_max / kSegmentsMin);
  step_ = std::clamp(align_up(options_.segment_bytes / 8), 64 * kKiB, 8 * kMiB);
  reserve_ = std::clamp(align_up(options_.segment_bytes / 64), 16 * kKiB, kMiB);
}

Result<std::unique_ptr<WriteAheadLog>> WriteAheadLog::make(FileSystem& files, Clock& clock,
                                                           std::string directory,
                                                           const std::string& stream_uuid,
                                                           Options options) {
  const auto stream = parse_stream_id(stream_uuid);
  if (!stream) {
    return Error{ExitCode::kConfig,
                 fmt::format("{}: '{}' is not the uuid of a stream. Nothing was changed. Look at "
                             "IDENTITY in the state directory.",
                             directory, stream_uuid)};
  }
  return std::unique_ptr<WriteAheadLog>(
      new WriteAheadLog(files, clock, std::move(directory), *stream, options));
}

Result<std::unique_ptr<WriteAheadLog>> WriteAheadLog::create(FileSystem& files, Clock& clock,
                                                             std::string directory,
                                                             const std::string& stream_uuid,
                                                             Options options) {
  KS_TRY_VALUE(log, make(files, clock, std::move(directory), stream_uuid, options));
  KS_TRY(log->guarded([&] { return log->begin({}); }));
  return log;
}

Result<std::unique_ptr<WriteAheadLog>> WriteAheadLog::create_after(const Beginning& beginning,
                                                                   FileSystem& files, Clock& clock,
                                                                   std::string directory,
                                                                   const std::string& stream_uuid) {
  KS_TRY_VALUE(log, make(files, clock, std::move(directory), stream_uuid, beginning.options));
  KS_TRY(log->guarded([&] { return log->begin(beginning); }));
  return log;
}

Result<std::unique_ptr<WriteAheadLog>> WriteAheadLog::open(FileSystem& files, Clock& clock,
                                                           std::string directory,
                                                           const std::string& stream_uuid,
                                                           Options options) {
  KS_TRY_VALUE(log, make(files, clock, std::move(directory), stream_uuid, options));
  KS_TRY(log->guarded([&] { return log->go_on(); }));
  return log;
}

Status WriteAheadLog::begin(const Beginning& beginning) {
  KS_TRY(files_.make_directory(directory_));
  KS_TRY(files_.sync_directory(parent_of(directory_)));
  KS_TRY_VALUE(names, files_.names(directory_));
  if (std::any_of(names.begin(), names.end(),
                  [](const std::string& name) { return segment_number(name).has_value(); })) {
    // A first start that was cut short leaves an empty log.
    KS_TRY_VALUE(found, wal::recover(files_, directory_, std::nullopt));
    if (found.last.number != 1 || !found.state.ends.empty() || found.state.last_batch != 0) {
      return Error{ExitCode::kData,
                   fmt::format("{}: holds a log already, with {} segments and {} batches, and no "
                               "IDENTITY beside it. Nothing was changed. Restore the state "
                               "directory as a whole, or begin anew with another --state-dir.",
                               directory_, found.state.segments.size(), found.state.last_batch)};
    }
  }
  for (const auto& [partition, end] : beginning.ends) {
    state_.topics.add(partition.topic);
  }
  state_.ends = state_.acknowledged = beginning.ends;
  state_.last_batch = beginning.last_batch;
  state_.last_time_ms = beginning.last_time_ms;
  recovered_ends_ = recovered_acknowledged_ = beginning.ends;
  KS_TRY_VALUE(writer, successor(header_after(0, 0, 1), reserve_));
  return begin_segment(std::move(writer));
}

Status WriteAheadLog::go_on() {
  KS_TRY_VALUE(found, wal::recover(files_, directory_, stream_));
  if (found.end == SegmentEnd::kTorn) {
    log::warning("{}/{}: byte {}: {}: a crash cut off what was not durable yet. It is left out.",
                 directory_, segment_name(found.last.number), found.end_at, found.damage);
  }
  SegmentHeader header = found.last;
  ++header.number;
  header.created_ms = clock_.wall_ms();
  header.seed = new_seed();
  auto writer = copy_last(files_, directory_, header, {step_ / 8, reserve_}, found);
  if (!writer.ok()) {
    if (writer.error().is_transient) {
      KS_TRY(remove_all({segment_name(header.number) + std::string(kTemporarySuffix)}));
    }
    return writer.error();
  }
  state_ = std::move(found.state);
  state_.segments.back().number = header.number;
  state_.segments.back().seed = header.seed;
  KS_TRY(use(std::move(writer).value(), found.next_sequence));
  found.obsolete.push_back(segment_name(found.last.number));
  KS_TRY(remove_all(found.obsolete));
  recovered_ends_ = state_.ends;
  recovered_acknowledged_ = state_.acknowledged;
  unprocessed_ = {std::move(found.planned), std::nullopt, std::move(found.unplanned)};
  if (state_.in_hand) {
    unprocessed_.plan = BatchPlan{state_.last_batch, state_.last_time_ms, *state_.in_hand};
  }
  return {};
}

// One by one, each for good before the next: no crash leaves a gap.
Status WriteAheadLog::remove_all(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    KS_TRY(files_.remove(fmt::format("{}/{}", directory_, name)));
    KS_TRY(files_.sync_directory(directory_));
  }
  return {};
}

template <class Step>
Status WriteAheadLog::guarded(Step step) {
  const std::lock_guard lock(mutex_);
  if (failure_) {
    return *failure_;
  }
  Status done = step();
  if (!done.ok() && !done.error().is_transient && done.error().code == ExitCode::kIoError) {
    failure_ = done.error();
  }
  bytes_ = bytes_now();
  return done;
}

std::uint64_t WriteAheadLog::bytes_now() {
  std::uint64_t bytes = 0;
  if (writer_) {
    state_.segments.back().bytes = writer_->bytes();
    for (const Segment& segment : state_.segments) {
      bytes += segment.bytes;
    }
  }
  return bytes;
}

Unprocessed WriteAheadLog::take_unprocessed() {
  return std::exchange(unprocessed_, {});
}

BatchId WriteAheadLog::last_batch() const {
  const std::lock_guard lock(mutex_);
  return state_.last_batch;
}

BatchTime WriteAheadLog::last_time_ms() const {
  const std::lock_guard lock(mutex_);
  return state_.last_time_ms;
}

Result<std::vector<LoggedBlock>> WriteAheadLog::append(std::span<const BlockToLog> blocks) {
  std::vector<LoggedBlock> logged;
  KS_TRY(guarded([&] { return append_now(blocks, logged); }));
  return logged;
}

Status WriteAheadLog::append_now(std::span<const BlockToLog> blocks,
                                 std::vector<LoggedBlock>& logged) {
  if (blocks.empty()) {
    return {};
  }
  std::vector<OffsetRange> ranges;
  OffsetMap ends;  // as the blocks before leave them
  for (const BlockToLog& one : blocks) {
    KS_TRY(check(one, ends));
    ends[one.covers.partition] = one.covers.until;
    ranges.push_back(one.covers);
  }
  std::vector<NewFrame> frames = first_frames(ranges);
  const std::size_t first = frames.size();
  for (const BlockToLog& one : blocks) {
    frames.push_back({FrameType::kRecords, one.block->records(),
                      encode_records(state_.topics, one.covers), one.block->content()});
  }
  // What has no records, only says where a partition begins, may use the reserve.
  const bool has_records = std::any_of(
      blocks.begin(), blocks.end(), [](const BlockToLog& one) { return !one.block->is_empty(); });
  const auto places = write_group(frames, has_records);
  if (!places.ok()) {
    is_short_ = places.error().is_transient;
    return places.error();
  }
  is_short_ = is_short_ && !has_records;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    state_.log(blocks[i].covers);
    logged.push_back({blocks[i].covers, blocks[i].block->records(), places.value()[first + i]});
  }
  return {};
}

Status WriteAheadLog::check(const BlockToLog& one, const OffsetMap& ends) const {
  const OffsetRange& covers = one.covers;
  const RecordBlock& block = *one.block;
  const auto find = [&](const OffsetMap& map) {
    const auto found = map.find(covers.partition);
    return found == map.end() ? Offset{0} : found->second;
  };
  if (const Offset end = std::max(find(ends), find(state_.ends)); covers.from < end) {
    return refused(directory_, covers, fmt::format("the log reaches to {} already", end));
  }
  if (covers.until < covers.from || (!block.is_empty() && (block.partition() != covers.partition ||
                                                           block.first_offset() < covers.from ||
                                                           block.last_offset() >= covers.until))) {
    return refused(directory_, covers, "its records are not in this range");
  }
  if (block.bytes() + kRecordsHeadBytesMax > kPayloadBytesMax) {
    return refused(directory_, covers,
                   fmt::format("its records have {} bytes, more than {}", block.bytes(),
                               kPayloadBytesMax - kRecordsHeadBytesMax));
  }
  return {};
}

Status WriteAheadLog::append_batch(std::optional<BatchId> processed, const BatchPlan* plan) {
  return guarded([&] { return append_batch_now(processed, plan); });
}

Status WriteAheadLog::append_batch_now(std::optional<BatchId> processed, const BatchPlan* plan) {
  KS_CHECK(!processed || (state_.in_hand && *processed == state_.last_batch));
  KS_CHECK(plan == nullptr ||
           (plan->id == state_.last_batch + 1 && (processed || !state_.in_hand)));
  std::vector<NewFrame> frames =
      first_frames(plan != nullptr ? std::span(plan->ranges) : std::span<const OffsetRange>());
  if (processed) {
    frames.push_back({FrameType::kProcessed, 0, encode_processed(*processed)});
  }
  if (plan != nullptr) {
    frames.push_back({FrameType::kBatch, 0, encode_batch(state_.topics, *plan)});
  }
  if (frames.empty()) {
    return {};
  }
  KS_TRY(write_group(frames, false));
  if (processed) {
    state_.process();
  }
  if (plan != nullptr) {
    state_.plan(*plan);
  }
  return {};
}

void WriteAheadLog::acknowledge(const OffsetMap& committed) {
  const std::lock_guard lock(mutex_);
  for (const auto& [partition, offset] : committed) {
    const auto known = state_.acknowledged.find(partition);
    if (known == state_.acknowledged.end() || known->second != offset) {
      to_log_[partition] = offset;
    } else {
      to_log_.erase(partition);
    }
  }
}

Status WriteAheadLog::read(const LoggedBlock& logged, RecordBlock& into) {
  const FramePlace& place = logged.place;
  const std::string path = fmt::format("{}/{}", directory_, segment_name(place.segment));
  const auto damaged = [&](std::string_view what) {
    return corrupt(path, place.at,
                   fmt::format("the block of {} {}", to_string(logged.covers), what));
  };
  std::uint64_t seed = 0;
  {
    const std::lock_guard lock(seeds_mutex_);
    const auto found = seeds_.find(place.segment);
    KS_CHECK(found != seeds_.end());
    seed = found->second;
  }
  std::string frame(place.bytes, '\0');
  KS_TRY_VALUE(count, files_.read_at(path, place.at, frame));
  const std::string_view bytes = std::string_view(frame).substr(0, count);
  const auto header = decode_frame_header(bytes, seed);
  if (!header || header->known_type() != FrameType::kRecords ||
      header->frame_bytes() != place.bytes || header->records != logged.records) {
    return damaged("is not there");
  }
  if (!is_payload_of(*header, bytes.substr(kFrameHeaderBytes), seed)) {
    return damaged("does not have its hash");
  }
  const auto records = decode_records(bytes.substr(kFrameHeaderBytes, header->payload_bytes));
  const OffsetRange& covers = logged.covers;
  if (!records.ok() || records.value().partition != covers.partition.partition ||
      records.value().from != covers.from || records.value().until != covers.until) {
    return damaged("covers something else");
  }
  if (!into.load(covers.partition, logged.records, records.value().content) ||
      (!into.is_empty() &&
       (into.first_offset() < covers.from || into.last_offset() >= covers.until))) {
    return damaged("does not hold its records");
  }
  return {};
}

Status WriteAheadLog::trim(std::span<const TopicPartition> ours) {
  return guarded([&] { return trim_now(ours); });
}

Status WriteAheadLog::trim_now(std::span<const TopicPartition> ours) {
  std::vector<Segment>& segments = state_.segments;
  const auto first_kept = std::find_if(segments.begin(), segments.end(),
                                       [&](const Segment& one) { return !may_go(one, ours); });
  auto count = static_cast<std::size_t>(first_kept - segments.begin());
  if (count == segments.size()) {
    if (is_short_ && !segments.back().ends.empty()) {
      if (Status rolled = roll(true); !rolled.ok() && !rolled.error().is_transient) {
        return rolled;
      }
    }
    count = segments.size() - 1;
  }
  for (; count > 0; --count) {
    KS_TRY(remove_all({segment_name(segments.front().number)}));
    segments.erase(segments.begin());
    seeds_changed();
  }
  return {};
}

bool WriteAheadLog::may_go(const Segment& segment, std::span<const TopicPartition> ours) const {
  const auto is_acknowledged = [&](const TopicPartition& partition, Offset end) {
    for (const OffsetMap* map : {&to_log_, &state_.acknowledged}) {
      if (const auto found = map->find(partition); found != map->end()) {
        return found->second >= end;
      }
    }
    return false;
  };
  return segment.planned == 0 && segment.unplanned == 0 &&
         std::all_of(ours.begin(), ours.end(), [&](const TopicPartition& partition) {
           const auto end = segment.ends.find(partition);
           return end == segment.ends.end() || is_acknowledged(partition, end->second);
         });
}

// What a group begins with: topics that are new, and what was acknowledged.
std::vector<WriteAheadLog::NewFrame> WriteAheadLog::first_frames(
    std::span<const OffsetRange> ranges) {
  for (const OffsetRange& range : ranges) {
    state_.topics.add(range.partition.topic);
  }
  for (const auto& [partition, offset] : to_log_) {
    state_.topics.add(partition.topic);
  }
  std::vector<NewFrame> frames;
  if (state_.topics.names().size() > topics_logged_) {
    frames.push_back({FrameType::kState, 0, encode_state(state_)});
  }
  if (!to_log_.empty()) {
    frames.push_back({FrameType::kCommitted, 0, encode_offsets(state_.topics, to_log_)});
  }
  return frames;
}

Result<std::vector<FramePlace>> WriteAheadLog::write_group(const std::vector<NewFrame>& frames,
                                                           bool has_records) {
  std::uint64_t bytes = 0;
  for (const NewFrame& frame : frames) {
    bytes += kFrameHeaderBytes + align_up(frame.head.size() + frame.content.size(), 8);
  }
  if (const std::uint64_t least = 2 * kSegmentHeaderBytes + bytes + reserve_;
      has_records && least > records_bytes_max()) {
    return Error{
        ExitCode::kData,
        fmt::format("{}: cannot log {} bytes at once: a log of {} bytes has {} for records. "
                    "Nothing was written. Let it be larger with --wal-max.",
                    directory_, bytes, options_.bytes_max, records_bytes_max())};
  }
  KS_TRY(make_room(bytes, has_records));
  std::vector<FramePlace> places;
  Sequence sequence = next_sequence_;
  group_.clear();
  for (const NewFrame& frame : frames) {
    FrameHeader header;
    header.type = static_cast<std::uint8_t>(frame.type);
    header.begins_group = group_.empty();
    header.records = frame.records;
    header.sequence = sequence++;
    const std::size_t at = group_.size();
    put_frame(group_, header, {frame.head, frame.content}, writer_->header().seed);
    places.push_back({writer_->header().number, writer_->next_group_at() + at,
                      static_cast<std::uint32_t>(group_.size() - at)});
  }
  KS_TRY(writer_->write_group(group_));
  if (group_.capacity() > kGroupBytesKept) {
    group_ = {};
  }
  next_sequence_ = sequence;
  topics_logged_ = state_.topics.names().size();
  state_.acknowledge(std::exchange(to_log_, {}));
  return places;
}

Status WriteAheadLog::make_room(std::uint64_t bytes, bool has_records) {
  const std::uint64_t end = writer_->next_group_at() + bytes + kAlignment + kFrameHeaderBytes;
  if (end > options_.segment_bytes && writer_->end() > writer_->header().bytes_when_named) {
    Status rolled = roll(false);
    if (!rolled.ok() && (has_records || !rolled.error().is_transient)) {
      return rolled;
    }
  }
  const std::uint64_t need = writer_->next_group_at() + bytes + (has_records ? reserve_ : 0);
  return need > writer_->bytes() ? extend(need, has_records) : Status();
}

// By a step when it fits, otherwise by less.
Status WriteAheadLog::extend(std::uint64_t need, bool has_records) {
  Status extended = full(need);
  for (const std::uint64_t step : {step_, step_ / 8, kAlignment}) {
    const std::uint64_t wanted = align_up(need, step);
    if (has_records && bytes_now() - writer_->bytes() + wanted > records_bytes_max()) {
      continue;
    }
    extended = writer_->extend(wanted);
    if (extended.ok() || !extended.error().is_transient) {
      break;
    }
  }
  return extended;
}

Error WriteAheadLog::full(std::uint64_t wanted) {
  return Error{ExitCode::kIoError,
               fmt::format("{}: the log has {} bytes and {} at most, a segment needs {} for what "
                           "comes. Nothing was written. It goes on when batches are processed; "
                           "or let it be larger with --wal-max.",
                           directory_, bytes_now(), options_.bytes_max, wanted),
               true};
}

// The successor is there, under its temporary name, before the segment is sealed: where there is no
// room for one, this segment's reserve still serves. The last of the room is enough for a small
// one.
Status WriteAheadLog::roll(bool gives_reserve) {
  FrameHeader header;
  header.type = static_cast<std::uint8_t>(FrameType::kSeal);
  header.begins_group = true;
  header.sequence = next_sequence_;
  std::string seal;
  const std::uint64_t hash = put_frame(seal, header, {}, writer_->header().seed);
  const std::uint64_t end = writer_->next_group_at() + seal.size();
  const SegmentHeader next_header = header_after(end, hash, next_sequence_ + 1);
  auto next = successor(next_header, reserve_);
  if (!next.ok() && next.error().is_transient && gives_reserve && writer_->bytes() > end) {
    KS_TRY(writer_->cut(end));
    next = successor(next_header, 0);
  }
  if (!next.ok()) {
    return next.error();
  }
  Status sealed = writer_->bytes() < end ? writer_->extend(end) : Status();
  if (sealed.ok()) {
    sealed = writer_->write_group(seal);
  }
  if (!sealed.ok()) {
    KS_TRY(remove_all({segment_name(next_header.number) + std::string(kTemporarySuffix)}));
    return sealed;
  }
  KS_TRY(writer_->cut(end));
  KS_TRY(writer_->sync_length());
  state_.segments.back().bytes = end;
  return begin_segment(std::move(next).value());
}

SegmentHeader WriteAheadLog::header_after(std::uint64_t end, std::uint64_t hash,
                                          Sequence next) const {
  SegmentHeader header;
  header.stream = stream_;
  header.number = state_.segments.empty() ? 1 : state_.segments.back().number + 1;
  header.first_sequence = next;
  header.created_ms = clock_.wall_ms();
  header.predecessor_bytes = end;
  header.predecessor_hash = hash;
  header.seed = new_seed();
  return header;
}

// Under its temporary name, with the state as it is.
Result<std::unique_ptr<SegmentWriter>> WriteAheadLog::successor(const SegmentHeader& header,
                                                                std::uint64_t reserve) {
  FrameHeader frame;
  frame.type = static_cast<std::uint8_t>(FrameType::kState);
  frame.begins_group = true;
  frame.sequence = header.first_sequence;
  std::string group;
  put_frame(group, frame, {encode_state(state_)}, header.seed);
  const std::uint64_t bytes = align_up(kSegmentHeaderBytes + group.size() + reserve);
  const auto make_it = [&]() -> Result<std::unique_ptr<SegmentWriter>> {
    KS_TRY_VALUE(writer, SegmentWriter::create(files_, directory_, header, bytes));
    KS_TRY(writer->add(group));
    KS_TRY(writer->finish_first_group());
    return writer;
  };
  auto made = make_it();
  if (!made.ok() && made.error().is_transient) {
    KS_TRY(remove_all({segment_name(header.number) + std::string(kTemporarySuffix)}));
  }
  return made;
}

Status WriteAheadLog::begin_segment(std::unique_ptr<SegmentWriter> writer) {
  const SegmentHeader& header = writer->header();
  state_.segments.push_back({header.number, header.seed, 0, 0, 0, {}});
  return use(std::move(writer), header.first_sequence + 1);
}

Status WriteAheadLog::use(std::unique_ptr<SegmentWriter> writer, Sequence next) {
  KS_TRY(writer->give_name());
  writer_ = std::move(writer);
  next_sequence_ = next;
  topics_logged_ = state_.topics.names().size();
  seeds_changed();
  return {};
}

std::uint64_t WriteAheadLog::new_seed() const {
  std::random_device random;
  return options_.seed ? *options_.seed : std::uint64_t{random()} << 32U | random();
}

void WriteAheadLog::seeds_changed() {
  const std::lock_guard lock(seeds_mutex_);
  seeds_.clear();
  for (const Segment& segment : state_.segments) {
    seeds_[segment.number] = segment.seed;
  }
}

}  // namespace kstream::wal
