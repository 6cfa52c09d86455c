// Several range readers side by side, each with its own client and its own share of the partitions:
// librdkafka parses all that one broker sends on one thread per client.
//
// Thread: one at a time; a thread per reader runs inside read().
// Errors: as RangeReader's; the first reader's that failed. 71 when there are no threads.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "kafka/range_reader.h"

namespace kstream::kafka {

class ReaderPool {
 public:
  ReaderPool(ClientConfig config, ReaderOptions options, std::size_t readers, Clock& clock);

  // As RangeReader::read, for all partitions of the plan; empty ranges need nothing.
  Status read(std::span<const OffsetRange> ranges, BlockExchange& blocks,
              const std::stop_token& abort);

 private:
  Status make_reader(std::size_t i);
  std::vector<std::vector<OffsetRange>> shares(std::span<const OffsetRange> ranges);

  const ClientConfig config_;
  const ReaderOptions options_;
  Clock& clock_;
  std::vector<std::unique_ptr<RangeReader>> readers_;  // made when they get their first partition
  std::map<TopicPartition, std::size_t> reader_of_;
};

}  // namespace kstream::kafka
