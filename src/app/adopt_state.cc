#include "app/adopt_state.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "app/outputs.h"
#include "app/run.h"
#include "app/state.h"
#include "checkpoint/checkpoint.h"
#include "kafka/cluster_view.h"
#include "offsets/kafka_offsets.h"
#include "os/output.h"
#include "os/temporary_file.h"
#include "source/positions.h"
#include "source/startup.h"
#include "spill/scratch_space.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

// Opening would make them.
Status check_places(const Settings& settings) {
  for (const OutputTarget& target : settings.outputs) {
    const bool is_file = target.kind == OutputKind::kFiles || target.kind == OutputKind::kSqlite;
    if (is_file && access(target.place.c_str(), F_OK) != 0) {
      return Error{ExitCode::kNoInput, fmt::format("{}: is not there. Nothing was changed. Check "
                                                   "--output.",
                                                   target.place)};
    }
  }
  return {};
}

Result<std::vector<SinkPosition>> ask_sinks(const Settings& settings, const Outputs& outputs) {
  std::vector<SinkPosition> positions;
  const std::vector<Sink*> sinks = outputs.sinks();
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    if (settings.outputs[i].kind == OutputKind::kStdout) {
      continue;  // holds nothing
    }
    KS_TRY_VALUE(held, sinks[i]->last_batch());
    KS_TRY_VALUE(next, sinks[i]->next_offsets());
    positions.push_back({sinks[i]->name(), held ? held->id : 0, std::move(next)});
  }
  return positions;
}

Result<PositionOptions> position_options(const Settings& settings,
                                         std::unique_ptr<OffsetStore>& group) {
  PositionOptions options;
  options.topics = settings.topics;
  options.from = settings.from;
  if (settings.group) {
    KS_TRY_VALUE(store, KafkaOffsets::create(settings.client, *settings.group));
    group = std::move(store);
    options.committed = [&group](std::span<const TopicPartition> partitions) {
      return group->read(partitions);
    };
  }
  return options;
}

// Adds where those partitions begin that no batch has had.
Status add_others(PositionFinder& finder, kafka::ClusterView& view, SinkPosition& position) {
  KS_TRY_VALUE(partitions, finder.partitions());
  for (const auto& [partition, next] : position.next) {
    if (!std::binary_search(partitions.begin(), partitions.end(), partition)) {
      return Error{ExitCode::kConfig,
                   fmt::format("{}: the stream is at offset {} of {}, which is not in the topics "
                               "that --topic names. Nothing was changed. Name those of the stream.",
                               position.sink, next, to_string(partition))};
    }
  }
  std::erase_if(partitions, [&position](const TopicPartition& partition) {
    return position.next.contains(partition);
  });
  if (partitions.empty()) {
    return {};
  }
  KS_TRY_VALUE(logs, view.log_bounds(partitions));
  KS_TRY_VALUE(starts, finder.start(logs));
  log::warning("{}: does not know {} of the partitions, {} first: they begin where --from says",
               position.sink, starts.size(), to_string(partitions.front()));
  position.next.merge(starts);
  return {};
}

}  // namespace

Result<SinkPosition> common_position(std::span<const SinkPosition> sinks,
                                     const std::string& stream) {
  KS_CHECK(!sinks.empty());
  SinkPosition common = sinks.front();
  for (const SinkPosition& one : sinks) {
    if (one.batch == 0) {
      return Error{
          ExitCode::kNoInput,
          fmt::format("{}: holds no batch of stream '{}'. Nothing was changed. Check --name "
                      "and --output; or leave this output out.",
                      one.sink, stream)};
    }
    if (one.next.empty()) {
      return Error{ExitCode::kData,
                   fmt::format("{}: holds batch {} of stream '{}', but not where that one ended. "
                               "Nothing was changed. Name another output of the stream, or start "
                               "at a place of your choice, with another --name.",
                               one.sink, one.batch, stream)};
    }
    bool is_same = one.batch == common.batch;
    for (const auto& [partition, next] : one.next) {
      is_same = is_same && common.next.try_emplace(partition, next).first->second == next;
    }
    if (!is_same) {
      return Error{ExitCode::kData,
                   fmt::format("{} holds batch {} of stream '{}' as its last and {} batch {}, or "
                               "they ended elsewhere. Nothing was changed. Name only one of them, "
                               "and later give the other a stream of its own with --name.",
                               common.sink, common.batch, stream, one.sink, one.batch)};
    }
  }
  return common;
}

Status run_adopt(const Settings& settings) {
  SystemClock clock;
  KS_TRY(check_places(settings));
  State state;
  KS_TRY(open_state(settings, clock, state));
  if (state.identity) {
    return Error{ExitCode::kConfig,
                 fmt::format("{}: holds the state of stream {} already. Nothing was changed. Move "
                             "it away, or name a new directory.",
                             state.path(), state.identity->stream)};
  }
  Output output(STDOUT_FILENO, "standard output");
  ScratchSpace space(temporary_directory(), settings.spill_bytes_max);
  KS_TRY_VALUE(outputs, Outputs::open(settings, settings.client, output, 0, space, clock));
  Identity identity = identity_of(settings);
  SinkPosition position;
  const auto ask = [&]() -> Status {
    KS_TRY_VALUE(sinks, ask_sinks(settings, outputs));
    KS_TRY_VALUE(common, common_position(sinks, settings.name));
    position = std::move(common);
    KS_TRY_VALUE(view, kafka::ClusterView::create(settings.client));
    KS_TRY_VALUE(cluster, view.cluster_id());
    identity.cluster = std::move(cluster);
    std::unique_ptr<OffsetStore> group;
    KS_TRY_VALUE(options, position_options(settings, group));
    PositionFinder finder(view, clock, std::move(options));
    return add_others(finder, view, position);
  };
  KS_TRY(open_patiently(ask, settings.startup_timeout, clock, Stop()));
  const Checkpoint checkpoint{
      identity.stream, 1, {position.batch, clock.wall_ms(), position.next}, std::nullopt};
  KS_TRY(begin_state(state.files, state.path(), {identity, checkpoint}));
  log::info("{}: is the state of the stream after batch {}, as {} holds it. Go on with wordcount.",
            state.path(), position.batch, position.sink);
  return {};
}

}  // namespace kstream
