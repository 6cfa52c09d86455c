// Sends the lines of a file or of standard input to the embedded broker, no faster than they are
// counted: that broker keeps only the newest 5 MiB of a partition, so what is sent and not yet
// counted stays below that.
//
// Thread: run() on one of its own; counted() and final_ends() any.
// Errors: of the input (66, 74, 65 for a line beyond 16 MiB) and of the producer.
// Limits: kWindowBytes in each partition wait to be counted, or one larger line.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "kafka/producer.h"
#include "model/offset.h"
#include "model/record_block.h"
#include "os/line_reader.h"

namespace kstream {

class Feeder {
 public:
  static constexpr std::size_t kWindowBytes = 4 * 1024 * 1024;

  Feeder(LineReader lines, std::unique_ptr<kafka::Producer> producer, std::string topic,
         std::int32_t partitions);

  // Makes final_ends() known before anything is sent, by reading the input once in advance.
  Status count_ahead(const std::stop_token& stop);

  // Sends all; returns when it is acknowledged, or when stopped.
  Status run(const std::stop_token& stop);

  // The records of this block have been counted.
  void counted(const RecordBlock& block);

  // Where each partition ends when all is sent; nothing while that is not known.
  std::optional<OffsetMap> final_ends() const;

 private:
  struct Sent {
    Offset end;  // the offset after it
    std::size_t bytes;
  };
  struct Lane {
    Offset next = 0;     // of the next record to send
    Offset counted = 0;  // of the next record to count
    std::deque<Sent> waiting;
    std::size_t waiting_bytes = 0;
  };

  // Waits for room in the lane. False when stopped.
  bool wait_for_room(Lane& lane, std::size_t bytes, const std::stop_token& stop);
  OffsetMap ends_after(std::uint64_t lines) const;

  LineReader lines_;
  const std::unique_ptr<kafka::Producer> producer_;
  const std::string topic_;

  mutable std::mutex mutex_;
  std::condition_variable_any is_counted_;
  std::vector<Lane> lanes_;
  std::optional<OffsetMap> final_ends_;
};

}  // namespace kstream
