// The state directory of a run, locked, with what an earlier run left in it.
#pragma once

#include <optional>
#include <string>

#include "checkpoint/state_files.h"
#include "config/settings.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/private_directory.h"

namespace kstream {

struct State {
  SystemFileSystem files;
  std::optional<PrivateDirectory> directory;
  std::optional<Identity> identity;  // of an earlier run

  std::string path() const { return directory ? directory->path() : ""; }
};

// Errors: those of PrivateDirectory; 65 damaged, 78 a directory that holds something else.
Status open_state(const Settings& settings, Clock& clock, State& state);

// What this run is, for comparison and for a first start; the cluster's id is still to be asked
// for.
Identity identity_of(const Settings& settings);

}  // namespace kstream
