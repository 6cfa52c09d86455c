#include "app/convert_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "app/run.h"
#include "app/state.h"
#include "kafka/cluster_view.h"
#include "offsets/kafka_offsets.h"
#include "offsets/zookeeper_offsets.h"
#include "source/startup.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr const char* kReceiveFirst =
    "Nothing was changed. Run it once more with --mode receiver --exit, as the only member of its "
    "group, then convert it.";

Error refused(std::string_view why, std::string_view what_to_do) {
  return Error{ExitCode::kData, fmt::format("{}. {}", why, what_to_do)};
}

// Direct mode reads on from one offset. So what is not processed lies side by side, up to the log's
// end.
Result<OffsetMap> unprocessed_from(const wal::Recovered& log) {
  std::map<TopicPartition, OffsetRange> unprocessed;
  for (const auto* blocks : {&log.planned, &log.unplanned}) {
    for (const wal::LoggedBlock& block : *blocks) {
      const OffsetRange& covers = block.covers;
      const auto [known, is_first] = unprocessed.try_emplace(covers.partition, covers);
      if (!is_first && known->second.until != covers.from) {
        return refused(
            fmt::format("{}: offsets {} to {}, between some that are not counted yet, "
                        "are not in the log: another member of the group had them, or "
                        "they were skipped",
                        to_string(covers.partition), known->second.until, covers.from - 1),
            kReceiveFirst);
      }
      known->second.until = covers.until;
    }
  }
  OffsetMap from = log.state.ends;
  for (const auto& [partition, range] : unprocessed) {
    from[partition] = range.from;
  }
  return from;
}

// The batch in hand, with a range for each partition as a checkpoint has it.
Result<BatchPlan> intent_of(const wal::LogState& state, const OffsetMap& next) {
  BatchPlan intent{state.last_batch, state.last_time_ms, {}};
  std::map<TopicPartition, Offset> until;
  for (const OffsetRange& range : *state.in_hand) {
    if (!range.is_empty()) {
      until[range.partition] = range.until;
    }
  }
  if (until.empty()) {
    return refused(fmt::format("batch {} is in hand and has no records", state.last_batch),
                   kReceiveFirst);
  }
  for (const auto& [partition, from] : next) {
    const auto end = until.find(partition);
    intent.ranges.push_back({partition, from, end == until.end() ? from : end->second});
  }
  return intent;
}

Status to_direct(FileSystem& files, const std::string& directory, Identity identity,
                 const GroupPositions& group) {
  const std::string log_folder = directory + "/wal";
  KS_TRY_VALUE(log, wal::recover(files, log_folder, wal::parse_stream_id(identity.stream)));
  KS_TRY_VALUE(checkpoint, checkpoint_of(log, identity.stream, group));
  KS_TRY(save_checkpoint(files, directory, checkpoint));
  identity.source = "direct";
  identity.group.clear();
  return save_identity(files, directory, identity);
}

Status to_receiver(FileSystem& files, Clock& clock, const std::string& directory, Identity identity,
                   const GroupPositions& group) {
  KS_TRY_VALUE(stored, read_state(files, directory));
  KS_CHECK(stored);
  KS_TRY_VALUE(beginning, beginning_of(stored->checkpoint, group));
  KS_TRY(wal::WriteAheadLog::create_after(beginning, files, clock, directory + "/wal",
                                          identity.stream));
  identity.source = "receiver";
  identity.group = group.group;
  return save_identity(files, directory, identity);
}

// The log's files are gone for good when it returns; whether the folder is empty then.
Result<bool> remove_segments(FileSystem& files, const std::string& log_folder) {
  KS_TRY(files.make_directory(log_folder));
  KS_TRY_VALUE(names, files.names(log_folder));
  bool is_empty = true;
  for (const std::string& name : names) {
    const std::string_view stem =
        std::string_view(name).substr(0, name.find(wal::kTemporarySuffix));
    if (wal::segment_number(stem)) {
      KS_TRY(files.remove(fmt::format("{}/{}", log_folder, name)));
    } else {
      is_empty = false;
    }
  }
  KS_TRY(files.sync_directory(log_folder));
  return is_empty;
}

Result<GroupPositions> ask(const Settings& settings, const Identity& identity, Clock& clock) {
  const bool is_receiver = identity.source == "receiver";
  GroupPositions group{is_receiver ? identity.group : settings.group.value_or("kstream"), {}};
  const auto ask_once = [&]() -> Status {
    KS_TRY_VALUE(view, kafka::ClusterView::create(settings.client));
    Identity wanted = identity;
    KS_TRY_VALUE(cluster, view.cluster_id());
    wanted.cluster = std::move(cluster);
    wanted.group = is_receiver ? settings.group.value_or(identity.group) : identity.group;
    KS_TRY(check_same(identity, wanted, *settings.state_dir));
    KS_TRY_VALUE(partitions, view.partitions(identity.topics, kafka::MissingTopic::kLeftOut));
    for (const TopicPartition& partition : partitions) {
      group.next[partition] = 0;
    }
    KS_TRY_VALUE(offsets, KafkaOffsets::create(settings.client, group.group));
    KS_TRY_VALUE(committed, offsets->read(partitions));
    if (settings.zookeeper) {
      // Where ZooKeeper has a position, that is the group's.
      KS_TRY_VALUE(zookeeper, ZooKeeperOffsets::create(*settings.zookeeper, group.group));
      KS_TRY_VALUE(there, zookeeper->read(partitions));
      there.merge(committed);
      committed = std::move(there);
    }
    for (const auto& [partition, offset] : committed) {
      group.next[partition] = offset;
    }
    return {};
  };
  KS_TRY(open_patiently(ask_once, settings.startup_timeout, clock, Stop()));
  return group;
}

}  // namespace

Result<Checkpoint> checkpoint_of(const wal::Recovered& log, const std::string& stream,
                                 const GroupPositions& group) {
  const wal::LogState& state = log.state;
  Checkpoint checkpoint{stream, 1, {state.last_batch, state.last_time_ms, {}}, std::nullopt};
  KS_TRY_VALUE(next, unprocessed_from(log));
  for (const auto& [partition, offset] : group.next) {
    const auto end = state.ends.find(partition);
    if (end == state.ends.end()) {
      next[partition] = offset;  // a new partition would be read from 0
    } else if (offset > end->second) {
      return refused(fmt::format("{}: group '{}' is at {}, the log ends at {}: other members have "
                                 "received what is between",
                                 to_string(partition), group.group, offset, end->second),
                     kReceiveFirst);
    }
  }
  if (state.in_hand) {
    KS_TRY_VALUE(intent, intent_of(state, next));
    checkpoint.intent = std::move(intent);
    checkpoint.committed.batch = state.last_batch - 1;
    // The log does not know any more when the one before was: earlier.
    checkpoint.committed.time_ms = state.last_batch == 1 ? 0 : state.last_time_ms - 1;
  }
  checkpoint.committed.next = std::move(next);
  return checkpoint;
}

Result<wal::Beginning> beginning_of(const Checkpoint& checkpoint, const GroupPositions& group) {
  if (checkpoint.intent) {
    return refused(fmt::format("batch {} is in hand", *checkpoint.intent->id),
                   "Nothing was changed. Run it once more with --mode direct --exit, then convert "
                   "it.");
  }
  const Committed& committed = checkpoint.committed;
  wal::Beginning beginning{committed.next, committed.batch, committed.time_ms};
  for (const auto& [partition, offset] : group.next) {
    const Offset end = beginning.ends.try_emplace(partition, 0).first->second;
    if (offset > end) {
      return refused(
          fmt::format("{}: group '{}' is at {}, the stream at {}: a receiver would leave out what "
                      "is between",
                      to_string(partition), group.group, offset, end),
          "Nothing was changed. Run it once more with --mode direct --exit, or name another group "
          "with --group, then convert it.");
    }
  }
  return beginning;
}

Status convert_state(FileSystem& files, Clock& clock, const std::string& directory,
                     const Identity& identity, const GroupPositions& group) {
  const std::string log_folder = directory + "/wal";
  const bool is_receiver = identity.source == "receiver";
  if (is_receiver) {
    KS_TRY(to_direct(files, directory, identity, group));
  }
  KS_TRY_VALUE(is_empty, remove_segments(files, log_folder));
  if (!is_receiver) {
    KS_TRY(to_receiver(files, clock, directory, identity, group));
    KS_TRY(files.remove(directory + "/checkpoint"));
  } else if (is_empty) {
    KS_TRY(files.remove(log_folder));
  }
  return files.sync_directory(directory);
}

Status run_convert(const Settings& settings) {
  SystemClock clock;
  State state;
  const std::string& directory = *settings.state_dir;
  KS_TRY_VALUE(found, read_identity(state.files, directory));
  if (!found) {
    return Error{ExitCode::kNoInput,
                 fmt::format("{}: holds no state of kstream. Nothing was changed. Check the path.",
                             directory)};
  }
  KS_TRY(open_state(settings, clock, state));
  const Identity& identity = *state.identity;
  if (identity.source != "direct" && identity.source != "receiver") {
    return Error{
        ExitCode::kConfig,
        fmt::format("{}: is the state of a {}, which keeps no position of its own. Nothing "
                    "was changed. Run it with --mode receiver --wal in a new directory.",
                    directory, identity.source)};
  }
  KS_TRY_VALUE(group, ask(settings, identity, clock));
  KS_TRY(convert_state(state.files, clock, directory, identity, group));
  log::info(
      "{}: is the state of a {} now; go on with it in --mode {}", directory,
      identity.source == "direct" ? "receiver" : "direct stream",
      identity.source == "direct" ? fmt::format("receiver --group {}", group.group) : "direct");
  return {};
}

}  // namespace kstream
