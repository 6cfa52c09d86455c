// Looks at state directories, also at those in use: the files are replaced as a whole.

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include "app/run.h"
#include "checkpoint/state_files.h"
#include "os/output.h"

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

std::string shown(const StoredState& state) {
  const Identity& identity = state.identity;
  const Checkpoint& checkpoint = state.checkpoint;
  std::string text = fmt::format(
      "stream {}\ncluster {}\ntopics {}\nsource {}\nisolation {}\ndecode {}\nsplit {}\n"
      "generation {}\n",
      identity.stream, identity.cluster, fmt::join(identity.topics, ","), identity.source,
      identity.isolation, identity.decode, identity.split, checkpoint.generation);
  const Committed& committed = checkpoint.committed;
  text += committed.batch == 0 ? std::string("committed nothing yet; next:\n")
                               : fmt::format("committed batch {} at {}; next:\n", committed.batch,
                                             at(committed.time_ms));
  for (const auto& [partition, offset] : committed.next) {
    text += fmt::format("  {} {} {}\n", partition.topic, partition.partition, offset);
  }
  if (checkpoint.intent) {
    text += fmt::format("intent batch {} at {}:\n", *checkpoint.intent->id,
                        at(checkpoint.intent->time_ms));
    for (const OffsetRange& range : checkpoint.intent->ranges) {
      text += fmt::format("  {} {} {} {}\n", range.partition.topic, range.partition.partition,
                          range.from, range.until);
    }
  }
  return text;
}

std::string verified(const std::string& directory, const Checkpoint& checkpoint) {
  return fmt::format(
      "{}: ok: generation {}, batch {} committed, {} partitions{}\n", directory,
      checkpoint.generation, checkpoint.committed.batch, checkpoint.committed.next.size(),
      checkpoint.intent ? fmt::format(", batch {} intended", *checkpoint.intent->id) : "");
}

}  // namespace

Status run_state(const Settings& settings) {
  KS_TRY_VALUE(state, stored_state(*settings.state_dir));
  return Output(STDOUT_FILENO, "standard output")
      .write(settings.state_action == StateAction::kVerify
                 ? verified(*settings.state_dir, state.checkpoint)
                 : shown(state));
}

Status run_offsets(const Settings& settings) {
  KS_TRY_VALUE(state, stored_state(*settings.state_dir));
  std::string text;
  for (const auto& [partition, offset] : state.checkpoint.committed.next) {
    text += fmt::format("{} {} {}\n", partition.topic, partition.partition, offset);
  }
  return Output(STDOUT_FILENO, "standard output").write(text);
}

}  // namespace kstream
