// The files of a state directory, read and written whole.
//
//     DIR/LOCK         held by the process that uses the directory; its text is for people
//     DIR/IDENTITY     what the state belongs to (identity.h), and which of these count
//     DIR/checkpoint   where a direct stream stands (checkpoint.h)
//     DIR/wal/         what a receiving stream has received (wal/)
//     DIR/wal.new/, DIR/wal.broken-*/   what a repair makes, and what it keeps
//
// Thread: one at a time; reading needs no lock, each file is replaced as a whole.
// Errors: 65 when a file is missing, damaged or does not fit the other; 74 for the disk, transient
//   when it is full.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/identity.h"
#include "os/file_system.h"

namespace kstream {

struct StoredState {
  Identity identity;
  Checkpoint checkpoint;
};

// Nothing when there is no state yet.
Result<std::optional<Identity>> read_identity(FileSystem& files, const std::string& directory);
// Of a direct stream.
Result<std::optional<StoredState>> read_state(FileSystem& files, const std::string& directory);

// First the checkpoint, then the identity: a crash between leaves a directory without an identity,
// which read_state takes for one without state.
Status begin_state(FileSystem& files, const std::string& directory, const StoredState& state);

Status save_identity(FileSystem& files, const std::string& directory, const Identity& identity);
Status save_checkpoint(FileSystem& files, const std::string& directory,
                       const Checkpoint& checkpoint);

// Whether a name is one that kstream gives to a file of its state.
bool is_state_file(std::string_view name);

}  // namespace kstream
