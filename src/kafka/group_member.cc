#include "kafka/group_member.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "kafka/error.h"
#include "telemetry/log.h"

namespace kstream::kafka {
namespace {

constexpr auto kWait = std::chrono::milliseconds(50);
constexpr auto kWaitForRoom = std::chrono::milliseconds(5);
constexpr auto kRetryPause = std::chrono::milliseconds(500);
constexpr auto kAnswerWait = std::chrono::milliseconds(100);
constexpr int kCommittedMs = 5'000;
constexpr std::int64_t kCommitEveryMs = 500;
// Brokers before 2.1 forget a commit some time after it was made, not after the group has gone.
constexpr std::int64_t kCommitAgainMs = 60'000;
constexpr std::int64_t kLookEveryMs = 5'000;
constexpr std::int64_t kLastCommitMs = 10'000;
constexpr std::int64_t kCloseMs = 5'000;
// A block of so many bytes does not wait for more.
constexpr std::size_t kWorthHandingOver = 32 * 1024;
constexpr double kBurstSeconds = 0.1;

// A commit that will never be taken, however often it is sent.
bool is_refusal(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE;
}

Properties member_properties(const GroupOptions& options) {
  Properties properties = read_ahead(options.prefetch_bytes, options.partitions).properties;
  // A fetch for partitions that have nothing new holds up the others, whose queues were full when
  // it was sent; the more partitions, the dearer it is.
  const std::size_t wait_ms = std::clamp<std::size_t>(options.partitions / 10, 10, 100);
  properties.emplace_back("fetch.wait.max.ms", fmt::format("{}", wait_ms));
  properties.emplace_back("group.id", options.group);
  if (!options.instance.empty()) {
    properties.emplace_back("group.instance.id", options.instance);
  }
  properties.emplace_back("topic.metadata.refresh.interval.ms",
                          fmt::format("{}", options.discover_every.count()));
  // Incremental rebalances lose assignments before 2.10 when commits are made by hand.
  properties.emplace_back("partition.assignment.strategy", "range,roundrobin");
  const bool wants_internal = std::any_of(
      options.topics.begin(), options.topics.end(),
      [](const std::string& topic) { return topic.starts_with("__") || topic.starts_with("^__"); });
  if (!wants_internal) {
    properties.emplace_back("topic.blacklist", "^__");
  }
  return properties;
}

}  // namespace

Result<std::unique_ptr<GroupMember>> GroupMember::create(const ClientConfig& config,
                                                         const GroupOptions& options,
                                                         Receiver& receiver, Clock& clock) {
  KS_TRY_VALUE(client, Client::create(Role::kMember, config, member_properties(options)));
  rd_kafka_poll_set_consumer(client->get());
  return std::unique_ptr<GroupMember>(new GroupMember(std::move(client), options, receiver, clock));
}

GroupMember::GroupMember(std::unique_ptr<Client> client, GroupOptions options, Receiver& receiver,
                         Clock& clock)
    : client_(std::move(client)),
      options_(std::move(options)),
      receiver_(receiver),
      clock_(clock),
      wakeup_(client_->get()),
      events_(rd_kafka_queue_get_consumer(client_->get())),
      answers_(rd_kafka_queue_new(client_->get())) {
  wakeup_.watch(events_.get());
  wakeup_.watch(answers_.get());
}

GroupMember::~GroupMember() {
  partitions_.clear();
  Wakeup::unwatch(events_.get());
  Wakeup::unwatch(answers_.get());
}

Status GroupMember::run(const std::stop_token& stop) {
  Status received = receive(stop);
  if (!received.ok()) {
    receiver_.release(names_, true);
  }
  return received;
}

Status GroupMember::receive(const std::stop_token& stop) {
  KS_TRY(subscribe());
  while (!stop.stop_requested()) {
    KS_TRY(serve_events(stop));
    KS_TRY_VALUE(is_progress, drain_all());
    KS_TRY(go_to_moved());
    hand_over_due();
    KS_TRY(take_answers(std::chrono::milliseconds(0)));
    KS_TRY(commit_due());
    if (now_ms_ >= next_look_ms_) {
      look_at_doubtful();
    }
    if (!is_progress) {
      wait();
    }
  }
  return leave();
}

Status GroupMember::subscribe() {
  const ListHandle topics(rd_kafka_topic_partition_list_new(0));
  for (const std::string& topic : options_.topics) {
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  if (const auto code = rd_kafka_subscribe(client_->get(), topics.get());
      code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return to_error(*client_, code, fmt::format("group '{}'", options_.group),
                    "Nothing was received. Check the names given with --topic.");
  }
  return {};
}

Status GroupMember::leave() {
  KS_TRY(release());
  look_at_doubtful();
  const ErrorHandle error(rd_kafka_consumer_close_queue(client_->get(), events_.get()));
  const std::int64_t deadline_ms = clock_.steady_ms() + kCloseMs;
  while (error == nullptr && rd_kafka_consumer_closed(client_->get()) == 0 &&
         clock_.steady_ms() < deadline_ms) {
    const EventHandle event(
        rd_kafka_queue_poll(events_.get(), static_cast<int>(kAnswerWait.count())));
    if (event != nullptr && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) {
      rd_kafka_assign(client_->get(), nullptr);
    }
  }
  return {};
}

Status GroupMember::serve_events(const std::stop_token& stop) {
  while (const EventHandle event{rd_kafka_queue_poll(events_.get(), 0)}) {
    KS_TRY(take_event(event.get(), stop));
  }
  return {};
}

Status GroupMember::take_event(rd_kafka_event_t* event, const std::stop_token& stop) {
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_REBALANCE:
      if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        return assign(rd_kafka_event_topic_partition_list(event), stop);
      }
      return release();
    case RD_KAFKA_EVENT_ERROR:
      return take_error(event);
    case RD_KAFKA_EVENT_FETCH:
      KS_CHECK(false);  // every partition has a queue of its own
    default:
      return {};
  }
}

Status GroupMember::take_error(rd_kafka_event_t* event) {
  const rd_kafka_resp_err_t code = rd_kafka_event_error(event);
  KS_TRY(check_alive());
  if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || is_refusal(code)) {
    return to_error(
        *client_, code,
        fmt::format("group '{}': {}", options_.group, rd_kafka_event_error_string(event)),
        "Nothing more was received. Ask for the right to read the topic and the group.");
  }
  client_->note_complaint(rd_kafka_event_error_string(event));
  if (!is_transient(code) && complaint_.is_due(clock_.steady_ms())) {
    log::warning("group '{}': {}. Going on.", options_.group, rd_kafka_event_error_string(event));
  }
  return {};
}

// The code of an event is the first cause's or "fatal", as librdkafka pleases.
Status GroupMember::check_alive() {
  std::array<char, 512> reason{};
  if (rd_kafka_fatal_error(client_->get(), reason.data(), reason.size()) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {};
  }
  return Error{ExitCode::kTryAgain,
               fmt::format("group '{}': the member '{}' is out: {}. What was received and not "
                           "yet safe is received again. Run one process per --state-dir.",
                           options_.group, options_.instance, reason.data()),
               true};
}

Status GroupMember::assign(const rd_kafka_topic_partition_list_t* given,
                           const std::stop_token& stop) {
  EveryMinute complaint;
  while (!stop.stop_requested() && rd_kafka_assignment_lost(client_->get()) == 0) {
    Result<CommittedMap> committed = this->committed(given);
    const Result<std::vector<OffsetRange>> ranges =
        committed.ok() ? receiver_.start(committed.value()) : committed.error();
    if (ranges.ok()) {
      return assign_at(ranges.value());
    }
    if (!ranges.error().is_transient) {
      return ranges.error();
    }
    if (complaint.is_due(clock_.steady_ms())) {
      log::warning("{} Trying again before anything is received.", ranges.error().text);
    }
    clock_.wait(kRetryPause, stop);
  }
  rd_kafka_assign(client_->get(), nullptr);
  return {};
}

Result<CommittedMap> GroupMember::committed(const rd_kafka_topic_partition_list_t* given) {
  CommittedMap found;
  if (given->cnt == 0) {
    return found;
  }
  const ListHandle list(rd_kafka_topic_partition_list_copy(given));
  const auto code = rd_kafka_committed(client_->get(), list.get(), kCommittedMs);
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& one = list->elems[i];
    const auto reason = code != RD_KAFKA_RESP_ERR_NO_ERROR ? code : one.err;
    if (reason != RD_KAFKA_RESP_ERR_NO_ERROR) {
      // What else the coordinator says while the group moves passes, too.
      Error error = to_error(*client_, reason,
                             fmt::format("group '{}', committed offset of {}:{}", options_.group,
                                         one.topic, one.partition),
                             "Nothing was received.");
      error.is_transient = !is_refusal(reason);
      return error;
    }
    std::optional<Committed>& committed = found[{one.topic, one.partition}];
    if (one.offset >= 0) {
      committed = {one.offset,
                   std::string(static_cast<const char*>(one.metadata), one.metadata_size)};
    }
  }
  return found;
}

void GroupMember::look_at_doubtful() {
  next_look_ms_ = now_ms_ + kLookEveryMs;
  const std::vector<TopicPartition> names = receiver_.doubtful();
  if (names.empty()) {
    return;
  }
  const ListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(names.size())));
  for (const TopicPartition& name : names) {
    rd_kafka_topic_partition_list_add(list.get(), name.topic.c_str(), name.partition);
  }
  if (const Result<CommittedMap> found = committed(list.get()); found.ok()) {
    receiver_.look_at(found.value());
  }
}

// Also for the same partitions again, at other places.
Status GroupMember::assign_at(std::span<const OffsetRange> ranges) {
  partitions_.clear();
  names_.clear();
  const ListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(ranges.size())));
  for (const OffsetRange& range : ranges) {
    const TopicPartition& name = range.partition;
    names_.push_back(name);
    partitions_[name] = std::make_unique<Partition>(client_->get(), range, wakeup_);
    rd_kafka_topic_partition_list_add(list.get(), name.topic.c_str(), name.partition)->offset =
        range.from;
  }
  if (const auto code = rd_kafka_assign(client_->get(), list.get());
      code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return to_error(*client_, code, fmt::format("group '{}'", options_.group),
                    "Its partitions could not be taken.");
  }
  for (const auto& [name, partition] : partitions_) {
    if (partition->is_done()) {
      stop_fetching(*partition);
    }
  }
  log::info("group '{}': received here: {} partitions", options_.group, ranges.size());
  next_commit_ms_ = 0;
  next_recommit_ms_ = clock_.steady_ms() + kCommitAgainMs;
  return {};
}

Status GroupMember::release() {
  const bool is_lost = rd_kafka_assignment_lost(client_->get()) != 0;
  Status is_committed;
  if (!is_lost && !partitions_.empty()) {
    for (auto& [name, partition] : partitions_) {
      hand_over(*partition);
    }
    receiver_.finish(names_);
    is_committed = commit_rest();
  }
  receiver_.release(names_, is_lost);
  partitions_.clear();
  names_.clear();
  rd_kafka_assign(client_->get(), nullptr);
  return is_committed;
}

Result<bool> GroupMember::drain_all() {
  const std::optional<double> rate = receiver_.rate();
  const std::int64_t now_ms = clock_.steady_ms();
  if (rate) {
    const double more = *rate * static_cast<double>(now_ms - now_ms_) / 1000;
    allowed_ = std::min(allowed_ + more, std::max(*rate * kBurstSeconds, 1.0));
  } else {
    allowed_ = std::numeric_limits<double>::infinity();
  }
  now_ms_ = now_ms;
  bool is_progress = false;
  for (std::size_t i = 0; i < names_.size() && may_take(); ++i) {
    Partition& partition = *partitions_.at(names_[turn_ % names_.size()]);
    ++turn_;
    if (partition.acknowledged && !partition.is_done()) {
      KS_TRY_VALUE(is_drained, drain(partition));
      is_progress = is_progress || is_drained;
    }
  }
  return is_progress;
}

bool GroupMember::may_take() {
  return allowed_ >= 1 && receiver_.has_room();
}

Result<bool> GroupMember::drain(Partition& partition) {
  const Offset before = partition.next;
  Draining draining{this, &partition, {}};
  const int taken = partition.queue.take(on_message, &draining);
  if (!draining.status.ok()) {
    return draining.status.error();
  }
  if (taken <= 0) {
    if (const std::optional<Offset> position = partition.queue.position()) {
      partition.next = std::clamp(*position, partition.next, partition.until);
    }
  }
  if (partition.block != nullptr && partition.block->bytes() >= kWorthHandingOver) {
    hand_over(partition);
  }
  if (partition.is_done()) {
    stop_fetching(partition);
  }
  return partition.next > before;
}

// Of one that is done: fetches that ask for it would only wait for what is not wanted any more.
void GroupMember::stop_fetching(const Partition& partition) {
  const TopicPartition& name = partition.queue.name();
  const ListHandle list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), name.topic.c_str(), name.partition);
  rd_kafka_pause_partitions(client_->get(), list.get());
}

void GroupMember::on_message(rd_kafka_message_t* message, void* draining) noexcept {
  auto& [self, partition, status] = *static_cast<Draining*>(draining);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    self->take(*partition, record_of(*message, self->headers_place()));
  } else {
    status = self->take_partition_event(*partition, *message);
  }
  if (!status.ok() || self->allowed_ < 1 || partition->is_done()) {
    rd_kafka_yield(self->client_->get());
  }
}

void GroupMember::take(Partition& partition, const RecordView& record) {
  if (record.offset >= partition.until) {
    partition.next = partition.until;
    return;
  }
  if (record.offset < partition.next) {
    if (complaint_.is_due(clock_.steady_ms())) {
      log::warning("{}: record {} came again; it is left out", to_string(partition.queue.name()),
                   record.offset);
    }
    return;
  }
  if (partition.block == nullptr || !partition.block->append(record)) {
    hand_over(partition);
    partition.block = receiver_.acquire();
    partition.block->start(partition.queue.name());
    partition.block_since_ms = now_ms_;
    KS_CHECK(partition.block->append(record));
    if (!receiver_.has_room()) {
      rd_kafka_yield(client_->get());
    }
  }
  partition.next = record.offset + 1;
  allowed_ -= 1;
}

Status GroupMember::take_partition_event(Partition& partition, const rd_kafka_message_t& event) {
  const TopicPartition& name = partition.queue.name();
  if (event.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    partition.queue.note_end(event.offset);
    partition.next = std::clamp(event.offset, partition.next, partition.until);
    return {};
  }
  if (event.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
      event.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    const Result<Offset> start = receiver_.skip_lost(name, partition.next);
    if (!start.ok() && !start.error().is_transient) {
      return start.error();
    }
    moved_[name] = start.ok() ? start.value() : partition.next;  // there it is asked again
    return {};
  }
  if (event.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
      event.err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
      event.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
    // Just made, or deleted: then the group takes it away.
    if (complaint_.is_due(clock_.steady_ms())) {
      log::warning("{}: {}. Other partitions go on.", to_string(name),
                   rd_kafka_message_errstr(&event));
    }
    return {};
  }
  if (is_transient(event.err)) {
    client_->note_complaint(
        fmt::format("{}: {}", to_string(name), rd_kafka_message_errstr(&event)));
    return {};
  }
  return to_error(*client_, event.err,
                  fmt::format("{} at offset {}", to_string(name), partition.next),
                  "Nothing more was received.");
}

// Some go on elsewhere than where they were: all begin anew, as an assignment is made as a whole.
Status GroupMember::go_to_moved() {
  if (moved_.empty()) {
    return {};
  }
  std::vector<OffsetRange> ranges;
  for (auto& [name, partition] : partitions_) {
    hand_over(*partition);
    const auto moved = moved_.find(name);
    const Offset from = moved == moved_.end() ? partition->next : moved->second;
    ranges.push_back({name, from, std::max(from, partition->until)});
  }
  moved_.clear();
  return assign_at(ranges);
}

void GroupMember::hand_over(Partition& partition) {
  if (partition.covered == partition.next) {
    return;
  }
  receiver_.submit(std::move(partition.block),
                   {partition.queue.name(), partition.covered, partition.next});
  partition.covered = partition.next;
}

void GroupMember::hand_over_due() {
  for (auto& [name, partition] : partitions_) {
    if (partition->block == nullptr ||
        now_ms_ - partition->block_since_ms >= options_.block_interval.count()) {
      hand_over(*partition);
    }
  }
}

void GroupMember::wait() {
  if (partitions_.empty() || may_take()) {
    wakeup_.wait(partitions_.empty() ? nullptr : &names_.front(), kWait);
  } else {
    wakeup_.wait(nullptr, kWaitForRoom);
  }
}

Status GroupMember::commit_due() {
  if (is_commit_under_way_ || now_ms_ < next_commit_ms_) {
    return {};
  }
  next_commit_ms_ = now_ms_ + kCommitEveryMs;
  if (now_ms_ >= next_recommit_ms_) {
    next_recommit_ms_ = now_ms_ + kCommitAgainMs;
    for (auto& [name, partition] : partitions_) {
      partition->sent.reset();
    }
  }
  return send_commit();
}

Status GroupMember::commit_rest() {
  const std::int64_t deadline_ms = clock_.steady_ms() + kLastCommitMs;
  next_commit_ms_ = 0;
  do {
    if (!is_commit_under_way_ && clock_.steady_ms() >= next_commit_ms_) {
      KS_TRY(send_commit());
      if (!is_commit_under_way_ && next_commit_ms_ == 0) {
        return {};  // all is there
      }
    }
    KS_TRY(take_answers(kAnswerWait));
  } while (clock_.steady_ms() < deadline_ms && rd_kafka_assignment_lost(client_->get()) == 0);
  return {};
}

// Of those positions that are not there yet, if there are any.
Status GroupMember::send_commit() {
  const ListHandle list(rd_kafka_topic_partition_list_new(0));
  for (const auto& [name, position] : receiver_.safe(names_)) {
    Partition& partition = *partitions_.at(name);
    if (partition.sent == position || (partition.acknowledged.value_or(0) > position)) {
      continue;
    }
    partition.sent = position;
    rd_kafka_topic_partition_t* element =
        rd_kafka_topic_partition_list_add(list.get(), name.topic.c_str(), name.partition);
    element->offset = position;
    element->metadata = strdup(options_.stream.c_str());  // the list frees it
    element->metadata_size = options_.stream.size();
  }
  if (list->cnt == 0) {
    return {};
  }
  const auto code =
      rd_kafka_commit_queue(client_->get(), list.get(), answers_.get(), nullptr, nullptr);
  is_commit_under_way_ = code == RD_KAFKA_RESP_ERR_NO_ERROR;
  return is_commit_under_way_ ? Status() : commit_failed(code, *list);
}

Status GroupMember::take_answers(std::chrono::milliseconds longest) {
  const EventHandle event(rd_kafka_queue_poll(answers_.get(), static_cast<int>(longest.count())));
  if (event == nullptr) {
    return {};
  }
  is_commit_under_way_ = false;
  const rd_kafka_topic_partition_list_t* list = rd_kafka_event_topic_partition_list(event.get());
  const auto code = rd_kafka_event_error(event.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return commit_failed(code, *list);
  }
  OffsetMap taken;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& one = list->elems[i];
    const auto found = partitions_.find({one.topic, one.partition});
    if (found != partitions_.end() && found->second->sent == one.offset) {
      found->second->acknowledged = one.offset;
      taken.emplace(found->first, one.offset);
    }
  }
  receiver_.committed(taken);
  return {};
}

Status GroupMember::commit_failed(rd_kafka_resp_err_t code,
                                  const rd_kafka_topic_partition_list_t& list) {
  KS_TRY(check_alive());
  for (auto& [name, partition] : partitions_) {
    partition->sent.reset();
  }
  const std::string subject =
      fmt::format("group '{}', commit of {} partitions", options_.group, list.cnt);
  if (is_refusal(code)) {
    return to_error(*client_, code, subject,
                    "Nothing more was received; what was received is not lost. Ask for the right "
                    "to read the group.");
  }
  const std::int64_t now_ms = clock_.steady_ms();
  next_commit_ms_ = now_ms + kCommitEveryMs;
  if (complaint_.is_due(now_ms)) {
    log::warning("{}: {}. It is sent again.", subject, rd_kafka_err2str(code));
  }
  return {};
}

}  // namespace kstream::kafka
