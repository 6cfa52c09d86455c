#include "kafka/reader_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

namespace kstream::kafka {
namespace {

// Of the failures, one that is not merely "stopped", which the others are because of it.
Status first_failure(const std::vector<Status>& outcomes) {
  const Status* failure = nullptr;
  for (const Status& outcome : outcomes) {
    if (!outcome.ok() && (failure == nullptr || failure->error().code == ExitCode::kTryAgain)) {
      failure = &outcome;
    }
  }
  return failure == nullptr ? Status() : *failure;
}

}  // namespace

ReaderPool::ReaderPool(ClientConfig config, ReaderOptions options, std::size_t readers,
                       Clock& clock)
    : config_(std::move(config)), options_(options), clock_(clock), readers_(readers) {
  KS_CHECK(readers > 0);
}

Status ReaderPool::read(std::span<const OffsetRange> ranges, BlockExchange& blocks,
                        const std::stop_token& abort) {
  const std::vector<std::vector<OffsetRange>> work = shares(ranges);
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    if (!work[i].empty()) {
      KS_TRY(make_reader(i));
    }
  }
  // The first reader that fails stops the others.
  std::stop_source stop;
  const std::stop_callback pass_on(abort, [&] { stop.request_stop(); });
  std::vector<Status> outcomes(readers_.size());
  const auto run = [&](std::size_t i) {
    outcomes[i] = readers_[i]->read(work[i], blocks, stop.get_token());
    if (!outcomes[i].ok()) {
      stop.request_stop();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < readers_.size(); ++i) {
      if (work[i].empty()) {
        continue;
      }
      try {
        threads.emplace_back(run, i);
      } catch (const std::system_error& error) {
        stop.request_stop();
        return Error{ExitCode::kOsError,
                     fmt::format("no thread for reader {} of {}: {}. Use fewer with --readers.",
                                 i + 1, readers_.size(), error.what())};
      }
    }
    if (!work[0].empty()) {
      run(0);
    }
  }
  Status failure = first_failure(outcomes);
  if (!failure.ok()) {
    // Whatever it was, the next try begins with clients that know nothing of it.
    for (auto& reader : readers_) {
      reader.reset();
    }
  }
  return failure;
}

Status ReaderPool::make_reader(std::size_t i) {
  if (readers_[i] != nullptr) {
    return {};
  }
  const auto partitions = std::count_if(reader_of_.begin(), reader_of_.end(),
                                        [i](const auto& entry) { return entry.second == i; });
  ReaderOptions options = options_;
  options.prefetch_bytes /= readers_.size();
  KS_TRY_VALUE(reader,
               RangeReader::create(config_, options, static_cast<std::size_t>(partitions), clock_));
  readers_[i] = std::move(reader);
  return {};
}

std::vector<std::vector<OffsetRange>> ReaderPool::shares(std::span<const OffsetRange> ranges) {
  std::vector<std::vector<OffsetRange>> work(readers_.size());
  for (const OffsetRange& range : ranges) {
    // A partition stays with its reader, which has read ahead.
    const auto [known, is_new] =
        reader_of_.try_emplace(range.partition, reader_of_.size() % readers_.size());
    if (!range.is_empty()) {
      work[known->second].push_back(range);
    }
  }
  return work;
}

}  // namespace kstream::kafka
