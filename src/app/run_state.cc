// Looks at state directories, also at those in use: files are replaced as a whole, and a log that
// changes while it is read is read again.

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "app/run.h"
#include "checkpoint/state_files.h"
#include "os/output.h"
#include "wal/recovery.h"

namespace kstream {
namespace {

Result<StoredState> stored_state(const std::string& directory) {
  SystemFileSystem files;
  KS_TRY_VALUE(stored, read_state(files, directory));
  if (!stored) {
    return Error{ExitCode::kNoInput,
                 fmt::format("{}: holds no state of kstream. Nothing was changed. Check the path.",
                             directory)};
  }
  return *std::move(stored);
}

std::string at(BatchTime time_ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(time_ms / 1000), time_ms % 1000);
}

std::string shown(const Identity& identity) {
  return fmt::format(
      "stream {}\ncluster {}\ntopics {}\nsource {}\nisolation {}\ndecode {}\nsplit {}\n{}{}",
      identity.stream, identity.cluster, fmt::join(identity.topics, ","), identity.source,
      identity.isolation, identity.decode, identity.split,
      identity.filter.empty() ? "" : fmt::format("filter {}\n", identity.filter),
      identity.handler.empty() ? "" : fmt::format("handler {}\n", identity.handler));
}

std::string shown(const OffsetMap& offsets) {
  std::string text;
  for (const auto& [partition, offset] : offsets) {
    text += fmt::format("  {} {} {}\n", partition.topic, partition.partition, offset);
  }
  return text;
}

std::string shown(const std::vector<OffsetRange>& ranges) {
  std::string text;
  for (const OffsetRange& range : ranges) {
    text += fmt::format("  {} {} {} {}\n", range.partition.topic, range.partition.partition,
                        range.from, range.until);
  }
  return text;
}

std::string shown(const StoredState& state) {
  const Checkpoint& checkpoint = state.checkpoint;
  std::string text = shown(state.identity) + fmt::format("generation {}\n", checkpoint.generation);
  const Committed& committed = checkpoint.committed;
  text += committed.batch == 0 ? std::string("committed nothing yet; next:\n")
                               : fmt::format("committed batch {} at {}; next:\n", committed.batch,
                                             at(committed.time_ms));
  text += shown(committed.next);
  if (checkpoint.intent) {
    text += fmt::format("intent batch {} at {}:\n", *checkpoint.intent->id,
                        at(checkpoint.intent->time_ms));
    text += shown(checkpoint.intent->ranges);
  }
  return text;
}

std::string verified(const std::string& directory, const Checkpoint& checkpoint) {
  return fmt::format(
      "{}: ok: generation {}, batch {} committed, {} partitions{}\n", directory,
      checkpoint.generation, checkpoint.committed.batch, checkpoint.committed.next.size(),
      checkpoint.intent ? fmt::format(", batch {} intended", *checkpoint.intent->id) : "");
}

// A receiving stream's state: its log.
struct StoredLog {
  std::optional<Identity> identity;
  wal::Recovered log;
  std::string frames;
};

std::string shown(std::string_view segment, const wal::Frame& frame, const wal::LogState& state) {
  std::string text = fmt::format("{} {} {} {} ", segment, frame.at, frame.header.frame_bytes(),
                                 frame.header.sequence);
  switch (frame.header.known_type()) {
    case wal::FrameType::kRecords: {
      const auto records = wal::decode_records(frame.payload);
      const wal::RecordsPayload& covers = records.value();
      return text + fmt::format("RECORDS {} {} {} {} {}\n", state.topics.names()[covers.topic],
                                covers.partition, covers.from, covers.until, frame.header.records);
    }
    case wal::FrameType::kBatch:
      return text + fmt::format("BATCH {} {}\n", state.last_batch, at(state.last_time_ms));
    case wal::FrameType::kProcessed:
      return text + fmt::format("PROCESSED {}\n", state.last_batch);
    case wal::FrameType::kState:
      return text + fmt::format("STATE {} topics, {} partitions\n", state.topics.names().size(),
                                state.ends.size());
    case wal::FrameType::kSeal:
      return text + "SEAL\n";
    case wal::FrameType::kCommitted:
      return text + "COMMITTED\n";
  }
  return text + fmt::format("type {}\n", frame.header.type);
}

Result<StoredLog> read_log_once(FileSystem& files, const std::string& directory) {
  StoredLog stored;
  KS_TRY_VALUE(identity, read_identity(files, directory));
  std::optional<wal::StreamId> stream;
  if (identity) {
    stream = wal::parse_stream_id(identity->stream);
  }
  stored.identity = std::move(identity);
  KS_TRY_VALUE(log, wal::recover(files, directory + "/wal", stream,
                                 [&](std::string_view segment, const wal::Frame& frame,
                                     const wal::LogState& state) {
                                   stored.frames += shown(segment, frame, state);
                                 }));
  stored.log = std::move(log);
  return stored;
}

// A segment that is written to, or removed, while it is read may look damaged: once.
Result<StoredLog> read_log(FileSystem& files, const std::string& directory) {
  constexpr int kTimes = 5;
  Result<StoredLog> stored = read_log_once(files, directory);
  for (int time = 1; time < kTimes && !stored.ok(); ++time) {
    stored = read_log_once(files, directory);
  }
  return stored;
}

std::string shown(const StoredLog& stored, bool with_frames) {
  const wal::LogState& state = stored.log.state;
  std::string text = stored.identity ? shown(*stored.identity) : std::string();
  for (const wal::Segment& segment : state.segments) {
    text += fmt::format("segment {} {} bytes, {} blocks not processed\n",
                        wal::segment_name(segment.number), segment.bytes,
                        segment.planned + segment.unplanned);
  }
  if (stored.log.end == wal::SegmentEnd::kTorn) {
    text += fmt::format("torn at byte {} of {}: {}\n", stored.log.end_at,
                        wal::segment_name(stored.log.last.number), stored.log.damage);
  }
  text += state.last_batch == 0
              ? std::string("no batch yet\n")
              : fmt::format("batch {} at {} {}\n", state.last_batch, at(state.last_time_ms),
                            state.in_hand ? "in hand:" : "processed");
  text += shown(state.in_hand.value_or(std::vector<OffsetRange>()));
  text += fmt::format("{} blocks of no batch; next:\n", state.unplanned) + shown(state.ends);
  text += "committed:\n" + shown(state.acknowledged);
  return with_frames ? text + stored.frames : text;
}

std::string verified(const std::string& directory, const wal::Recovered& log) {
  return fmt::format(
      "{}: ok: {} segments, batch {} {}, {} partitions{}\n", directory, log.state.segments.size(),
      log.state.last_batch, log.state.in_hand ? "in hand" : "processed", log.state.ends.size(),
      log.end == wal::SegmentEnd::kTorn
          ? fmt::format(", torn at byte {} of {}", log.end_at, wal::segment_name(log.last.number))
          : "");
}

// IDENTITY says which files count: a conversion that was cut short leaves some of the other kind.
bool has_log(FileSystem& files, const std::string& directory) {
  const auto identity = read_identity(files, directory);
  if (identity.ok() && identity.value() && identity.value()->source == "direct") {
    return false;
  }
  const auto names = files.names(directory);
  return names.ok() &&
         std::find(names.value().begin(), names.value().end(), "wal") != names.value().end();
}

}  // namespace

Status run_state(const Settings& settings) {
  Output output(STDOUT_FILENO, "standard output");
  if (SystemFileSystem files; has_log(files, *settings.state_dir)) {
    KS_TRY_VALUE(stored, read_log(files, *settings.state_dir));
    return output.write(settings.state_action == StateAction::kVerify
                            ? verified(*settings.state_dir, stored.log) +
                                  (settings.shows_frames ? stored.frames : "")
                            : shown(stored, settings.shows_frames));
  }
  KS_TRY_VALUE(state, stored_state(*settings.state_dir));
  return output.write(settings.state_action == StateAction::kVerify
                          ? verified(*settings.state_dir, state.checkpoint)
                          : shown(state));
}

Status run_offsets(const Settings& settings) {
  OffsetMap next;
  if (SystemFileSystem files; has_log(files, *settings.state_dir)) {
    KS_TRY_VALUE(stored, read_log(files, *settings.state_dir));
    next = std::move(stored.log.state.ends);
  } else {
    KS_TRY_VALUE(state, stored_state(*settings.state_dir));
    next = std::move(state.checkpoint.committed.next);
  }
  std::string text;
  for (const auto& [partition, offset] : next) {
    text += fmt::format("{} {} {}\n", partition.topic, partition.partition, offset);
  }
  return Output(STDOUT_FILENO, "standard output").write(text);
}

}  // namespace kstream
