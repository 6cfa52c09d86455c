// A disk that keeps what was synced, and of the rest whatever it likes; and the fate that stops the
// program before and after each step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/file_system.h"

namespace kstream {

struct Crash {};

// Decides where the program stops.
class Fate {
 public:
  Fate(std::uint64_t seed, double crash_chance) : random(seed), crash_chance_(crash_chance) {}
  void point() {
    ++points;
    if (points == crash_at ||
        (crash_chance_ > 0 && std::uniform_real_distribution<>()(random) < crash_chance_)) {
      throw Crash();
    }
  }
  int up_to(int most) { return std::uniform_int_distribution<>(0, most)(random); }
  bool coin() { return up_to(1) == 1; }

  std::mt19937_64 random;
  int points = 0;
  int crash_at = 0;  // the point that stops it for certain

 private:
  double crash_chance_;
};

class SimulatedDisk final : public FileSystem {
 public:
  void boot(Fate& fate) { fate_ = &fate; }

  bool syncs_files = true;  // false: a mistake
  bool syncs_directories = true;
  std::uint64_t bytes_max = UINT64_MAX;  // of all files; beyond it the disk is full
  std::optional<Error> sync_failure;     // of the next sync of a file
  std::optional<Error> write_failure;    // of the next write, after the bytes are written
  int syncs = 0;

  // The machine ends. Names that were not synced may be as before; of bytes that were not synced
  // each sector may be.
  void crash() {
    std::map<std::string, int> names = synced_names_;
    for (const auto& changes : pending_) {
      if (fate_->coin()) {
        for (const auto& [name, file] : changes) {
          if (file < 0) {
            names.erase(name);
          } else {
            names[name] = file;
          }
        }
      }
    }
    pending_.clear();
    synced_names_ = names_ = names;
    for (File& file : files_) {
      lose_in(file);
    }
  }

  Result<std::optional<std::string>> read(const std::string& path) override {
    const auto found = names_.find(path);
    if (found == names_.end()) {
      return std::optional<std::string>();
    }
    return std::optional(file_of(found->second).content);
  }

  Status write_synced(const std::string& path, std::string_view bytes) override {
    fate_->point();
    files_.push_back({std::string(bytes), ""});
    name(path, static_cast<int>(files_.size()) - 1);
    fate_->point();
    sync(files_.back());
    fate_->point();
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    fate_->point();
    if (!names_.contains(from)) {
      rename_directory(from + "/", to + "/");
    } else {
      const int file = names_.at(from);
      name(to, file);
      name(from, -1);
    }
    fate_->point();
    return {};
  }

  Status sync_directory(const std::string&) override {
    fate_->point();
    if (syncs_directories) {
      synced_names_ = names_;
      pending_.clear();
    }
    fate_->point();
    return {};
  }

  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    fate_->point();
    files_.push_back({"", ""});
    name(path, static_cast<int>(files_.size()) - 1);
    fate_->point();
    return std::unique_ptr<WritableFile>(
        std::make_unique<Writable>(*this, static_cast<int>(files_.size()) - 1));
  }

  Result<std::size_t> read_at(const std::string& path, std::uint64_t at,
                              std::span<char> into) override {
    const auto found = names_.find(path);
    if (found == names_.end()) {
      return Error{ExitCode::kIoError, path + ": is not there"};
    }
    const std::string& content = file_of(found->second).content;
    if (at >= content.size()) {
      return std::size_t{0};
    }
    return content.copy(into.data(), into.size(), at);
  }

  Result<std::vector<std::string>> names(const std::string& directory) override {
    std::vector<std::string> found;
    for (const auto& [name, file] : names_) {
      if (name.starts_with(directory + "/")) {
        found.push_back(name.substr(directory.size() + 1));
      }
    }
    return found;
  }

  Status link(const std::string& path, const std::string& target) override {
    fate_->point();
    files_.push_back({target, target});
    name(path, static_cast<int>(files_.size()) - 1);
    fate_->point();
    return {};
  }
  Status make_directory(const std::string&) override { return {}; }

  Status remove(const std::string& path) override {
    fate_->point();
    name(path, -1);
    fate_->point();
    return {};
  }

  // For tests that look at the bytes, and damage them.
  std::string& content(const std::string& path) { return file_of(names_.at(path)).content; }
  bool has(const std::string& path) const { return names_.contains(path); }
  std::uint64_t bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& [name, file] : names_) {
      bytes += files_[static_cast<std::size_t>(file)].content.size();
    }
    return bytes;
  }

 private:
  static constexpr std::size_t kSectorBytes = 512;

  struct File {
    std::string content;
    std::string synced;
    std::size_t changed_from = 0;  // where the two differ
    std::size_t changed_until = std::string::npos;

    void change(std::size_t from, std::size_t until) {
      changed_from = std::min(changed_from, from);
      changed_until = std::max(changed_until, until);
    }
  };

  class Writable final : public WritableFile {
   public:
    Writable(SimulatedDisk& disk, int file) : disk_(disk), file_(file) {}

    Status write_at(std::uint64_t at, std::string_view bytes) override {
      disk_.fate_->point();
      File& file = disk_.file_of(file_);
      const std::uint64_t end = std::max<std::uint64_t>(at + bytes.size(), file.content.size());
      const bool is_full = end > file.content.size() && !disk_.has_room(end - file.content.size());
      const std::optional<Error> failure = std::exchange(disk_.write_failure, std::nullopt);
      if (is_full) {
        bytes = bytes.substr(0, bytes.size() / 2);
      }
      file.content.resize(std::max<std::size_t>(at + bytes.size(), file.content.size()));
      file.content.replace(at, bytes.size(), bytes);
      file.change(at, at + bytes.size());
      disk_.fate_->point();
      return failure ? Status(*failure) : is_full ? full() : Status();
    }

    Status extend(std::uint64_t length, std::uint64_t wanted) override {
      disk_.fate_->point();
      File& file = disk_.file_of(file_);
      if (!disk_.has_room(wanted - length)) {
        return full();
      }
      file.content.resize(wanted);
      file.change(length, wanted);
      disk_.fate_->point();
      return {};
    }

    Status truncate(std::uint64_t length) override {
      disk_.fate_->point();
      File& file = disk_.file_of(file_);
      file.content.resize(length);
      file.change(length, length);
      disk_.fate_->point();
      return {};
    }

    Status sync() override {
      disk_.fate_->point();
      ++disk_.syncs;
      if (disk_.sync_failure) {
        return *std::exchange(disk_.sync_failure, std::nullopt);
      }
      disk_.sync(disk_.file_of(file_));
      disk_.fate_->point();
      return {};
    }

   private:
    static Status full() { return Error{ExitCode::kIoError, "the disk is full", true}; }

    SimulatedDisk& disk_;
    int file_;
  };

  File& file_of(int file) { return files_[static_cast<std::size_t>(file)]; }
  bool has_room(std::uint64_t more) const { return bytes() + more <= bytes_max; }

  void sync(File& file) {
    if (!syncs_files) {
      return;
    }
    const std::size_t from = std::min(file.changed_from, file.synced.size());
    const std::size_t until = std::min(file.changed_until, file.content.size());
    file.synced.resize(file.content.size());
    if (from < until) {
      file.synced.replace(from, until - from, file.content, from, until - from);
    }
    file.changed_from = std::string::npos;
    file.changed_until = 0;
  }

  void lose_in(File& file) {
    if (file.changed_from >= file.changed_until && file.content.size() == file.synced.size()) {
      return;
    }
    // The length of before or of after, and any of the sectors that differ.
    std::string left = file.synced;
    left.resize(fate_->coin() ? file.content.size() : left.size());
    for (std::size_t at = 0; at < left.size(); at += kSectorBytes) {
      const std::size_t count = std::min(kSectorBytes, left.size() - at);
      if (at < file.content.size() && left.compare(at, count, file.content, at, count) != 0 &&
          fate_->coin()) {
        left.replace(at, std::min(count, file.content.size() - at), file.content, at, count);
      }
    }
    file.content = file.synced = std::move(left);
    file.changed_from = std::string::npos;
    file.changed_until = 0;
  }

  void name(const std::string& path, int file) {
    if (file < 0) {
      names_.erase(path);
    } else {
      names_[path] = file;
    }
    pending_.push_back({{path, file}});
  }

  // All of what is in it, or nothing.
  void rename_directory(const std::string& from, const std::string& to) {
    std::vector<std::pair<std::string, int>> changes;
    for (const auto& [path, file] : std::map<std::string, int>(names_)) {
      if (path.starts_with(from)) {
        names_.erase(path);
        names_[to + path.substr(from.size())] = file;
        changes.emplace_back(path, -1);
        changes.emplace_back(to + path.substr(from.size()), file);
      }
    }
    pending_.push_back(std::move(changes));
  }

  Fate* fate_ = nullptr;
  std::vector<File> files_;
  std::map<std::string, int> names_;
  std::map<std::string, int> synced_names_;
  std::vector<std::vector<std::pair<std::string, int>>> pending_;  // each as a whole or not
};

}  // namespace kstream
