#include "app/repair_state.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "app/run.h"
#include "app/state.h"
#include "telemetry/log.h"
#include "wal/recovery.h"
#include "wal/salvage.h"

namespace kstream {
namespace {

bool is_there(FileSystem& files, const std::string& directory) {
  const auto names = files.names(directory);
  return names.ok() && !names.value().empty();
}

std::string told(const OffsetRange& lost, const wal::Salvaged& found) {
  const std::string what = fmt::format("{}: offsets {} to {} are not in the log any more",
                                       to_string(lost.partition), lost.from, lost.until - 1);
  if (lost.from >= found.state.ends.at(lost.partition)) {
    return what + fmt::format(
                      ". Those that the group has not committed are received again. For the "
                      "others, set its offset to {} with kafka-consumer-groups",
                      lost.from);
  }
  return what +
         fmt::format(", others behind them are. To count them: kstream wordcount --range {}:{}:{}",
                     to_string(lost.partition), lost.from, lost.until);
}

std::vector<std::string> report(const wal::Salvaged& found, const std::string& broken) {
  std::vector<std::string> lines = {fmt::format(
      "a new log holds {} blocks that are not processed, {} of them of batch {}; the damaged one "
      "is kept as {}",
      found.planned.size() + found.unplanned.size(), found.planned.size(), found.state.last_batch,
      broken)};
  for (const std::string& damage : found.damages) {
    lines.push_back("damaged: " + damage);
  }
  for (const OffsetRange& lost : found.lost) {
    lines.push_back(told(lost, found));
  }
  if (found.blocks_unknown > 0) {
    lines.push_back(fmt::format("{} more blocks are lost; nothing says which offsets they had",
                                found.blocks_unknown));
  }
  lines.push_back(
      "what the new log does not know of is received again where the group has not committed it; "
      "where it has, the next start says so and names the offset to set");
  return lines;
}

Status empty(FileSystem& files, const std::string& directory) {
  KS_TRY(files.make_directory(directory));
  KS_TRY_VALUE(names, files.names(directory));
  for (const std::string& name : names) {
    KS_TRY(files.remove(fmt::format("{}/{}", directory, name)));
  }
  return files.sync_directory(directory);
}

Status give_name(FileSystem& files, const std::string& directory, const std::string& from,
                 const std::string& to) {
  KS_TRY(files.rename(directory + "/" + from, directory + "/" + to));
  return files.sync_directory(directory);
}

}  // namespace

Result<std::vector<std::string>> repair_state(FileSystem& files, Clock& clock,
                                              const std::string& directory,
                                              const Identity& identity) {
  const std::string log_folder = directory + "/wal";
  const std::string new_folder = log_folder + ".new";
  if (!is_there(files, log_folder) && is_there(files, new_folder)) {
    KS_TRY(give_name(files, directory, "wal.new", "wal"));
    return std::vector<std::string>{"an earlier repair was cut short; the new log is there now"};
  }
  const auto log = wal::recover(files, log_folder, wal::parse_stream_id(identity.stream));
  if (log.ok()) {
    return std::vector<std::string>{"nothing to repair; nothing was changed"};
  }
  if (log.error().code != ExitCode::kData) {
    return log.error();
  }
  KS_TRY_VALUE(found, wal::salvage(files, log_folder));
  if (!found.has_state) {
    return Error{ExitCode::kData,
                 fmt::format("{}: no segment says what the log came to. Nothing was changed. "
                             "Restore the state directory as a whole, or begin anew with another "
                             "--state-dir.",
                             log_folder)};
  }
  KS_TRY(empty(files, new_folder));
  KS_TRY(wal::rewrite(files, clock, found, new_folder, identity.stream));
  const auto now_s = static_cast<std::time_t>(clock.wall_ms() / 1000);
  const std::string broken = fmt::format("wal.broken-{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now_s));
  KS_TRY(give_name(files, directory, "wal", broken));
  KS_TRY(give_name(files, directory, "wal.new", "wal"));
  return report(found, broken);
}

Status run_repair(const Settings& settings) {
  SystemClock clock;
  State state;
  const std::string& directory = *settings.state_dir;
  KS_TRY_VALUE(found, read_identity(state.files, directory));
  if (!found || found->source != "receiver") {
    return Error{found ? ExitCode::kData : ExitCode::kNoInput,
                 fmt::format("{}: holds no log of a receiver. Nothing was changed. A checkpoint "
                             "cannot be repaired: restore the directory as a whole.",
                             directory)};
  }
  KS_TRY(open_state(settings, clock, state));
  KS_TRY_VALUE(lines, repair_state(state.files, clock, directory, *state.identity));
  for (const std::string& line : lines) {
    log::warning("{}: {}", directory, line);
  }
  return {};
}

}  // namespace kstream
