// Everything that a run has been asked to do: validated, typed, not changed afterwards.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/output_target.h"
#include "kafka/client_config.h"
#include "model/offset.h"
#include "model/presentation.h"
#include "telemetry/log.h"
#include "words/decoder.h"
#include "words/kernel.h"
#include "words/tokenizer.h"

namespace kstream {

enum class Command { kWordcount, kProduce, kBroker, kState, kAdopt, kOffsets };

enum class Mode { kDirect, kReceiver };

enum class StateAction { kShow, kVerify, kRepair, kConvert };

struct EmbeddedTopic {
  std::string name;
  std::int32_t partitions = 0;
};

struct Settings {
  Command command = Command::kWordcount;
  log::Level log_level = log::Level::kInfo;

  // wordcount, whose settings state adopt has, too; produce; state convert
  kafka::ClientConfig client;
  bool is_broker_embedded = false;
  std::vector<std::string> topics;

  // wordcount: which records, and how they come
  Mode mode = Mode::kDirect;
  Place from = Latest{};
  std::optional<Place> until;
  bool is_once = false;
  std::vector<OffsetRange> ranges;
  std::optional<std::int64_t> batches_max;
  std::chrono::milliseconds interval{2000};
  bool is_interval_chosen = false;
  std::optional<std::string> feed;

  // wordcount: the position and how fast it moves
  std::optional<std::string> state_dir;
  std::optional<std::string> group;      // that is joined, or that positions are published to
  std::optional<std::string> zookeeper;  // and where: HOST:PORT,.../CHROOT; nothing: Kafka
  bool may_state_be_on_network = false;
  bool skips_lost_records = false;
  std::chrono::milliseconds discover_every{30'000};
  bool has_backpressure = true;
  std::optional<std::int64_t> max_rate_per_partition;  // records per second, as all rates
  std::int64_t min_rate_per_partition = 1;
  std::int64_t initial_rate = 100'000;

  // wordcount: what a group's members do
  std::map<std::string, std::size_t> threads_of;  // by topic; others have one
  std::optional<bool> has_wal;                    // nothing: as fits the state directory
  std::int64_t wal_bytes_max = std::int64_t{1024} * 1024 * 1024;
  std::chrono::milliseconds block_interval{200};
  std::optional<std::int64_t> max_rate;  // records per second and member

  // wordcount: what is counted and how it is shown
  DecodeOptions decode;
  std::optional<std::string> handler;  // a file in Lua
  OnInvalid on_invalid = OnInvalid::kReplace;
  Split split = Split::kSpace;
  bool is_lower = false;
  std::size_t characters_min = 0;         // of a word
  std::optional<std::string> stop_words;  // a file of them
  Presentation presentation;
  bool is_top_chosen = false;
  bool is_format_chosen = false;
  Compression compression = Compression::kNone;
  std::vector<OutputTarget> outputs;  // at least one
  std::string name;                   // of the stream, in outputs that keep several streams apart

  // wordcount: the process
  const Kernel* kernel = kernels().front();
  std::optional<std::uint64_t> memory_bytes;     // of counts and of records read ahead
  std::optional<std::uint64_t> spill_bytes_max;  // nothing: what is free, less some
  std::optional<std::size_t> readers;            // nothing: as many as there are cores
  std::chrono::milliseconds startup_timeout{30'000};
  std::chrono::milliseconds stop_deadline{10'000};

  // produce
  std::optional<std::int64_t> rate_records_per_s;
  std::optional<std::string> key_separator;

  // broker
  std::vector<EmbeddedTopic> embedded_topics;

  // state, offsets; state_dir is the one that they are about
  StateAction state_action = StateAction::kShow;
  bool shows_frames = false;
  bool is_adopted_from_sink = false;

  // A run that ends by itself at known offsets: it does not wait for boundaries or for brokers.
  bool is_bounded() const { return until.has_value() || is_once || !ranges.empty(); }
};

}  // namespace kstream
