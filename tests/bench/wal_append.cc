// wal_append DIRECTORY MIB ROUNDS: appends blocks of 256 KiB to a log, four in a group, and writes
// as much to plain files with the same sizes and syncs; in turn. Prints both in MB/s for each
// round.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "wal/write_ahead_log.h"

using namespace kstream;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1024} * 1024;
constexpr std::uint64_t kFileBytes = 64 * kMiB;
constexpr int kBlocks = 4;

template <class T>
T checked(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "wal_append: %s\n", result.error().text.c_str());
    std::exit(1);
  }
  return std::move(result).value();
}

void checked(const Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "wal_append: %s\n", status.error().text.c_str());
    std::exit(1);
  }
}

// Records of about 92 bytes, as many as a block takes.
std::vector<RecordView> records(std::string& text) {
  std::mt19937_64 random(1);
  while (text.size() < RecordBlock::kBytes) {
    text += static_cast<char>('a' + random() % 26);
  }
  std::vector<RecordView> records;
  for (std::size_t i = 0; (i + 1) * 92 < text.size(); ++i) {
    records.push_back({0, 1514260200000, std::nullopt, std::string_view(text).substr(i * 92, 92)});
  }
  return records;
}

double log_seconds(FileSystem& files, Clock& clock, const std::string& directory,
                   std::uint64_t bytes) {
  std::string text;
  std::vector<RecordView> all = records(text);
  RecordBlock blocks[kBlocks];
  const auto log = checked(wal::WriteAheadLog::create(files, clock, directory + "/wal",
                                                      "6f1c9d1e-4b0a-4e55-9c3b-0f5f6d1f2a3b", {}));
  Offset next = 0;
  Offset planned = 0;
  std::uint64_t done = 0;
  std::chrono::nanoseconds spent{};
  for (int group = 1; done < bytes; ++group) {
    wal::BlockToLog to_log[kBlocks];
    for (int i = 0; i < kBlocks; ++i) {  // filling is not the log's work
      const OffsetRange covers{{"test", 0}, next, next + static_cast<Offset>(all.size())};
      blocks[i].start(covers.partition);
      for (RecordView& record : all) {
        record.offset = next++;
        if (!blocks[i].append(record)) {
          --next;
          break;
        }
      }
      done += blocks[i].bytes();
      to_log[i] = {&blocks[i], {covers.partition, covers.from, next}};
    }
    const auto start = std::chrono::steady_clock::now();
    checked(log->append(to_log));
    if (group % 256 == 0) {
      const BatchPlan plan{log->last_batch() + 1, group, {{{"test", 0}, planned, next}}};
      checked(log->append_batch(std::nullopt, &plan));
      checked(log->append_batch(plan.id, nullptr));
      planned = next;
      checked(log->trim({}));
    }
    spent += std::chrono::steady_clock::now() - start;
  }
  return std::chrono::duration<double>(spent).count();
}

double plain_seconds(FileSystem& files, const std::string& directory, std::uint64_t bytes) {
  const std::string group(kMiB, 'x');
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t done = 0; done < bytes;) {
    const auto file = checked(files.create(directory + "/plain"));
    checked(file->extend(0, kFileBytes));
    for (std::uint64_t at = 0; at < kFileBytes && done < bytes; at += kMiB, done += kMiB) {
      checked(file->write_at(at, group));
      checked(file->sync());
    }
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: wal_append DIRECTORY MIB ROUNDS\n");
    return 64;
  }
  const std::string directory = argv[1];
  const std::uint64_t bytes = std::strtoull(argv[2], nullptr, 10) * kMiB;
  SystemFileSystem files;
  SystemClock clock;
  for (int round = std::atoi(argv[3]); round > 0; --round) {
    const double log = log_seconds(files, clock, directory, bytes);
    std::filesystem::remove_all(directory + "/wal");
    const double plain = plain_seconds(files, directory, bytes);
    std::filesystem::remove(directory + "/plain");
    std::printf("%.0f %.0f\n", static_cast<double>(bytes) / 1e6 / log,
                static_cast<double>(bytes) / 1e6 / plain);
    std::fflush(stdout);
  }
}
