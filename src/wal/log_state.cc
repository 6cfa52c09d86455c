#include "wal/log_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/varint.h"

namespace kstream::wal {
namespace {

Error broken(std::string rule) {
  return Error{ExitCode::kData, std::move(rule)};
}

// Takes a payload apart. After the first thing that does not fit, everything is zero and empty.
class Fields {
 public:
  explicit Fields(std::string_view payload) : rest_(payload) {}

  std::uint64_t number(std::uint64_t most = std::numeric_limits<std::int64_t>::max()) {
    const auto value = take_varint(rest_);
    return check(value && *value <= most) ? *value : 0;
  }
  std::int64_t offset() { return static_cast<std::int64_t>(number()); }
  // Of things that take a byte each at least.
  std::uint64_t count() { return number(rest_.size()); }
  std::string_view text() {
    const std::string_view text = rest_.substr(0, number(rest_.size()));
    rest_.remove_prefix(text.size());
    return text;
  }
  std::string_view take_rest() { return std::exchange(rest_, {}); }
  std::int32_t partition() {
    return static_cast<std::int32_t>(number(std::numeric_limits<std::int32_t>::max()));
  }
  TopicPartition partition_of(const Topics& topics) {
    const std::uint64_t topic = number();
    const std::int32_t number = partition();
    return check(topic < topics.names().size()) ? TopicPartition{topics.names()[topic], number}
                                                : TopicPartition{};
  }
  OffsetRange range(const Topics& topics) {
    OffsetRange range{partition_of(topics), offset(), 0};
    range.until = range.from + static_cast<Offset>(number(room_above(range.from)));
    return range;
  }
  std::vector<OffsetRange> ranges(const Topics& topics) {
    std::vector<OffsetRange> ranges(count());
    for (OffsetRange& one : ranges) {
      one = range(topics);
    }
    return ranges;
  }
  OffsetMap offsets(const Topics& topics) {
    OffsetMap offsets;
    for (std::uint64_t left = count(); left > 0; --left) {
      TopicPartition partition = partition_of(topics);
      offsets[std::move(partition)] = offset();
    }
    return offsets;
  }
  static std::uint64_t room_above(Offset offset) {
    return static_cast<std::uint64_t>(std::numeric_limits<Offset>::max() - offset);
  }

  // Whether all was there and nothing is left.
  bool is_whole() const { return is_ok_ && rest_.empty(); }

 private:
  bool check(bool is_fine) {
    if (!is_fine) {
      is_ok_ = false;
      rest_ = {};
    }
    return is_fine;
  }

  std::string_view rest_;
  bool is_ok_ = true;
};

void put_number(std::string& to, std::int64_t value) {
  put_varint(to, static_cast<std::uint64_t>(value));
}

void put_partition(std::string& to, const Topics& topics, const TopicPartition& partition) {
  put_varint(to, topics.number_of(partition.topic));
  put_number(to, partition.partition);
}

void put_range(std::string& to, const Topics& topics, const OffsetRange& range) {
  put_partition(to, topics, range.partition);
  put_number(to, range.from);
  put_number(to, range.until - range.from);
}

void put_ranges(std::string& to, const Topics& topics, const std::vector<OffsetRange>& ranges) {
  put_varint(to, ranges.size());
  for (const OffsetRange& range : ranges) {
    put_range(to, topics, range);
  }
}

}  // namespace

std::uint64_t Topics::add(const std::string& name) {
  const auto [found, is_new] = numbers_.try_emplace(name, names_.size());
  if (is_new) {
    names_.push_back(name);
  }
  return found->second;
}

void LogState::log(const OffsetRange& covers) {
  ends[covers.partition] = covers.until;
  ++unplanned;
  ++segments.back().unplanned;
  segments.back().ends[covers.partition] = covers.until;
}

void LogState::plan(const BatchPlan& plan) {
  last_batch = *plan.id;
  last_time_ms = plan.time_ms;
  in_hand = plan.ranges;
  planned = std::exchange(unplanned, 0);
  for (Segment& segment : segments) {
    segment.planned = std::exchange(segment.unplanned, 0);
  }
}

void LogState::process() {
  in_hand.reset();
  planned = 0;
  for (Segment& segment : segments) {
    segment.planned = 0;
  }
}

void LogState::acknowledge(const OffsetMap& committed) {
  for (const auto& [partition, offset] : committed) {
    acknowledged[partition] = offset;
  }
}

std::string encode_state(const LogState& state) {
  std::string payload;
  put_varint(payload, state.topics.names().size());
  for (const std::string& name : state.topics.names()) {
    put_varint(payload, name.size());
    payload += name;
  }
  payload += encode_offsets(state.topics, state.ends);
  payload += encode_offsets(state.topics, state.acknowledged);
  put_number(payload, state.last_batch);
  put_number(payload, state.last_time_ms);
  put_varint(payload, state.in_hand ? 1 : 0);
  if (state.in_hand) {
    put_ranges(payload, state.topics, *state.in_hand);
  }
  put_varint(payload, state.planned);
  put_varint(payload, state.unplanned);
  return payload;
}

Result<LogState> decode_state(std::string_view payload) {
  LogState state;
  Fields fields(payload);
  for (std::uint64_t left = fields.count(); left > 0; --left) {
    state.topics.add(std::string(fields.text()));
  }
  state.ends = fields.offsets(state.topics);
  state.acknowledged = fields.offsets(state.topics);
  state.last_batch = fields.offset();
  state.last_time_ms = fields.offset();
  if (fields.number(1) == 1) {
    state.in_hand = fields.ranges(state.topics);
  }
  state.planned = fields.number();
  state.unplanned = fields.number();
  // That nothing was there twice or in another order is seen when it is written again.
  if (!fields.is_whole() || encode_state(state) != payload) {
    return broken("the STATE frame does not hold a state");
  }
  return state;
}

std::string encode_records(const Topics& topics, const OffsetRange& covers) {
  std::string payload;
  put_range(payload, topics, covers);
  return payload;
}

Result<RecordsPayload> decode_records(std::string_view payload) {
  Fields fields(payload);
  RecordsPayload records;
  records.topic = fields.number();
  records.partition = fields.partition();
  records.from = fields.offset();
  records.until =
      records.from + static_cast<Offset>(fields.number(Fields::room_above(records.from)));
  records.content = fields.take_rest();
  if (!fields.is_whole()) {
    return broken("the RECORDS frame does not say what it covers");
  }
  return records;
}

std::string encode_batch(const Topics& topics, const BatchPlan& plan) {
  std::string payload;
  put_number(payload, *plan.id);
  put_number(payload, plan.time_ms);
  put_ranges(payload, topics, plan.ranges);
  return payload;
}

Result<BatchPlan> decode_batch(const Topics& topics, std::string_view payload) {
  Fields fields(payload);
  BatchPlan plan;
  plan.id = fields.offset();
  plan.time_ms = fields.offset();
  plan.ranges = fields.ranges(topics);
  if (!fields.is_whole()) {
    return broken("the BATCH frame does not hold a batch");
  }
  return plan;
}

std::string encode_processed(BatchId id) {
  std::string payload;
  put_number(payload, id);
  return payload;
}

Result<BatchId> decode_processed(std::string_view payload) {
  Fields fields(payload);
  const BatchId id = fields.offset();
  return fields.is_whole() ? Result<BatchId>(id)
                           : broken("the PROCESSED frame does not hold a batch's id");
}

std::string encode_offsets(const Topics& topics, const OffsetMap& offsets) {
  std::string payload;
  put_varint(payload, offsets.size());
  for (const auto& [partition, offset] : offsets) {
    put_partition(payload, topics, partition);
    put_number(payload, offset);
  }
  return payload;
}

Result<OffsetMap> decode_offsets(const Topics& topics, std::string_view payload) {
  Fields fields(payload);
  OffsetMap offsets = fields.offsets(topics);
  if (!fields.is_whole()) {
    return broken("the COMMITTED frame does not hold offsets");
  }
  return offsets;
}

}  // namespace kstream::wal
