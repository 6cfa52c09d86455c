#include "checkpoint/state_files.h"

#include <fmt/format.h>

#include <algorithm>

namespace kstream {
namespace {

constexpr const char* kIdentity = "IDENTITY";
constexpr const char* kCheckpoint = "checkpoint";

Error broken(const std::string& directory, const char* name, const std::string& rule) {
  return Error{ExitCode::kData,
               fmt::format("{}/{}: {}. Nothing was read and nothing was changed. Restore the "
                           "directory as a whole, or begin anew with another --state-dir.",
                           directory, name, rule)};
}

// The file, decoded; nothing when it is not there.
template <class T>
Result<std::optional<T>> read_as(FileSystem& files, const std::string& directory, const char* name,
                                 Result<T> (*decode)(std::string_view)) {
  KS_TRY_VALUE(text, files.read(fmt::format("{}/{}", directory, name)));
  if (!text) {
    return std::optional<T>();
  }
  Result<T> decoded = decode(*text);
  if (!decoded.ok()) {
    return broken(directory, name, decoded.error().text);
  }
  return std::optional<T>(std::move(decoded).value());
}

}  // namespace

Result<std::optional<Identity>> read_identity(FileSystem& files, const std::string& directory) {
  return read_as(files, directory, kIdentity, decode_identity);
}

Result<std::optional<StoredState>> read_state(FileSystem& files, const std::string& directory) {
  KS_TRY_VALUE(identity, read_identity(files, directory));
  KS_TRY_VALUE(checkpoint, read_as(files, directory, kCheckpoint, decode_checkpoint));
  if (!identity) {
    if (checkpoint && (checkpoint->committed.batch > 0 || checkpoint->intent)) {
      return broken(
          directory, kIdentity,
          fmt::format("is missing beside a checkpoint of batch {}", checkpoint->committed.batch));
    }
    return std::optional<StoredState>();
  }
  if (!checkpoint) {
    return broken(directory, kCheckpoint, "is missing beside an IDENTITY");
  }
  if (checkpoint->stream != identity->stream) {
    return broken(
        directory, kCheckpoint,
        fmt::format("is of stream {}, IDENTITY says {}", checkpoint->stream, identity->stream));
  }
  return std::optional(StoredState{*std::move(identity), *std::move(checkpoint)});
}

Status begin_state(FileSystem& files, const std::string& directory, const StoredState& state) {
  KS_TRY(save_checkpoint(files, directory, state.checkpoint));
  return save_identity(files, directory, state.identity);
}

Status save_identity(FileSystem& files, const std::string& directory, const Identity& identity) {
  return replace_file(files, directory, kIdentity, encode(identity));
}

Status save_checkpoint(FileSystem& files, const std::string& directory,
                       const Checkpoint& checkpoint) {
  return replace_file(files, directory, kCheckpoint, encode(checkpoint));
}

bool is_state_file(std::string_view name) {
  constexpr std::string_view kNames[] = {"LOCK",           "IDENTITY", "IDENTITY.tmp", "checkpoint",
                                         "checkpoint.tmp", "wal",      "wal.new"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
         name.starts_with("wal.broken-");
}

}  // namespace kstream
