#include "app/state.h"

#include <fmt/format.h>

#include <utility>

#include "telemetry/log.h"

namespace kstream {

Status open_state(const Settings& settings, Clock& clock, State& state) {
  if (!settings.state_dir) {
    if (!settings.is_bounded() && !settings.is_broker_embedded) {
      log::info("no --state-dir: a restart will not know what has been counted");
    }
    return {};
  }
  KS_TRY_VALUE(directory, PrivateDirectory::open(*settings.state_dir,
                                                 settings.may_state_be_on_network, clock));
  KS_TRY_VALUE(identity, read_identity(state.files, directory.path()));
  if (!identity) {
    KS_TRY_VALUE(names, directory.names());
    for (const std::string& name : names) {
      if (!is_state_file(name)) {
        return Error{ExitCode::kConfig,
                     fmt::format("{}: holds '{}', which is no state of kstream. Nothing was read. "
                                 "Name a directory of its own.",
                                 directory.path(), name)};
      }
    }
  }
  state.directory.emplace(std::move(directory));
  state.identity = std::move(identity);
  return {};
}

namespace {

std::string filter_of(const Settings& settings) {
  std::string filter = settings.is_lower ? "lower" : "";
  if (settings.characters_min > 0) {
    filter += fmt::format("{}min-length={}", filter.empty() ? "" : ",", settings.characters_min);
  }
  return filter;
}

}  // namespace

Identity identity_of(const Settings& settings) {
  const bool is_direct = settings.mode == Mode::kDirect;
  const char* received = settings.has_wal.value_or(false) ? "receiver" : "receiver without log";
  return {new_stream_id(),
          "",
          settings.topics,
          is_direct ? "direct" : received,
          is_direct ? "" : *settings.group,
          settings.client.is_read_uncommitted ? "uncommitted" : "committed",
          to_string(settings.decode),
          std::string(name_of(kSplitNames, settings.split)),
          filter_of(settings),
          settings.handler ? "lua" : ""};
}

}  // namespace kstream
