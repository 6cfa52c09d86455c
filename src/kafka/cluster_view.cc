#include "kafka/cluster_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "base/suggest.h"
#include "kafka/error.h"

namespace kstream::kafka {
namespace {

constexpr int kRequestTimeoutMs = 5000;
// librdkafka looks each answer up in the list of questions: its work grows with the square.
constexpr std::size_t kPartitionsPerRequest = 500;

}  // namespace

Result<ClusterView> ClusterView::create(const ClientConfig& config) {
  KS_TRY_VALUE(client, Client::create(Role::kConsumer, config, {}));
  return ClusterView(std::move(client));
}

Result<MetadataHandle> ClusterView::metadata(const std::string* topic) {
  TopicHandle handle;
  if (topic != nullptr) {
    handle.reset(rd_kafka_topic_new(client_->get(), topic->c_str(), nullptr));
    if (handle == nullptr) {
      return Error{ExitCode::kUsage, fmt::format("topic '{}': not a name that Kafka takes: {}",
                                                 *topic, rd_kafka_err2str(rd_kafka_last_error()))};
    }
  }
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(client_->get(), topic == nullptr ? 1 : 0,
                                                      handle.get(), &metadata, kRequestTimeoutMs);
  rd_kafka_poll(client_->get(), 0);  // complaints arrive here
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return to_error(*client_, error, fmt::format("brokers {}", client_->brokers()),
                    "No broker has answered.");
  }
  return MetadataHandle(metadata);
}

Result<std::string> ClusterView::cluster_id() {
  // Any answer about the whole cluster names it. To wait for the name alone takes a second.
  KS_TRY(metadata(nullptr));
  char* id = rd_kafka_clusterid(client_->get(), 0);
  std::string text = id == nullptr ? "" : id;
  rd_kafka_mem_free(client_->get(), id);
  return text;
}

Result<std::vector<TopicPartition>> ClusterView::partitions(std::span<const std::string> topics,
                                                            MissingTopic on_missing) {
  std::vector<TopicPartition> found;
  for (const std::string& topic : topics) {
    const Status added =
        topic.starts_with('^') ? add_matching(topic, found) : add_named(topic, found);
    if (!added.ok() &&
        (added.error().code != ExitCode::kNoInput || on_missing == MissingTopic::kError)) {
      return added.error();
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

Status ClusterView::add_named(const std::string& topic, std::vector<TopicPartition>& found) {
  KS_TRY_VALUE(answer, metadata(&topic));
  KS_CHECK(answer->topic_cnt == 1);
  return add_partitions(answer->topics[0], found);
}

Status ClusterView::add_matching(const std::string& topic, std::vector<TopicPartition>& found) {
  const std::regex pattern(topic, std::regex::extended);
  KS_TRY_VALUE(everything, metadata(nullptr));
  bool is_matched = false;
  for (int i = 0; i < everything->topic_cnt; ++i) {
    const std::string_view name = everything->topics[i].topic;
    const bool is_hidden = name.starts_with("__") && !topic.starts_with("^__");
    if (!is_hidden && std::regex_search(name.begin(), name.end(), pattern)) {
      is_matched = true;
      KS_TRY(add_partitions(everything->topics[i], found));
    }
  }
  if (!is_matched) {
    return Error{ExitCode::kNoInput,
                 fmt::format("topic '{}': none of the {} topics on {} matches. Nothing was read. "
                             "Check the expression, or create a topic.",
                             topic, everything->topic_cnt, client_->brokers()),
                 true};
  }
  return {};
}

Status ClusterView::add_partitions(const rd_kafka_metadata_topic_t& about,
                                   std::vector<TopicPartition>& found) {
  if (about.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
      (about.err == RD_KAFKA_RESP_ERR_NO_ERROR && about.partition_cnt == 0)) {
    return missing(about.topic);
  }
  if (about.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return to_error(*client_, about.err, fmt::format("topic '{}'", about.topic),
                    "Nothing was read.");
  }
  for (int i = 0; i < about.partition_cnt; ++i) {
    found.push_back({about.topic, about.partitions[i].id});
  }
  return {};
}

Error ClusterView::missing(const std::string& topic) {
  std::string hint = "Create it, or check the name";
  if (const auto everything = metadata(nullptr); everything.ok()) {
    const rd_kafka_metadata_t& all = *everything.value();
    std::vector<std::string_view> names;
    names.reserve(static_cast<std::size_t>(all.topic_cnt));
    for (int i = 0; i < all.topic_cnt; ++i) {
      names.emplace_back(all.topics[i].topic);
    }
    if (const std::string near = nearest(topic, names); !near.empty() && near != topic) {
      hint += fmt::format("; did you mean '{}'?", near);
    }
  }
  return Error{ExitCode::kNoInput,
               fmt::format("topic '{}': does not exist on {}. Nothing was read. {}", topic,
                           client_->brokers(), hint.ends_with('?') ? hint : hint + "."),
               true};
}

Result<OffsetMap> ClusterView::offsets(std::span<const TopicPartition> partitions, Offset which) {
  OffsetMap found;
  while (!partitions.empty()) {
    const auto some = partitions.first(std::min(partitions.size(), kPartitionsPerRequest));
    partitions = partitions.subspan(some.size());
    const ListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(some.size())));
    for (const TopicPartition& partition : some) {
      rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
          ->offset = which;
    }
    rd_kafka_resp_err_t error =
        rd_kafka_offsets_for_times(client_->get(), list.get(), kRequestTimeoutMs);
    rd_kafka_poll(client_->get(), 0);
    for (int i = 0; i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      const rd_kafka_topic_partition_t& answer = list->elems[i];
      error = answer.err;
      found[{answer.topic, answer.partition}] = answer.offset;
      const bool may_be_none = which >= 0;  // no record is as late as this
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR && answer.offset < 0 && !may_be_none) {
        error = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;  // no answer for this one
      }
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      // Up to librdkafka 2.9 the leaders it knows stay as they are until somebody asks anew.
      const rd_kafka_metadata_t* fresh = nullptr;
      if (rd_kafka_metadata(client_->get(), 0, nullptr, &fresh, kRequestTimeoutMs) ==
          RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(fresh);
      }
      return to_error(*client_, error, fmt::format("brokers {}", client_->brokers()),
                      "The ends of the logs are not known.");
    }
  }
  return found;
}

Result<OffsetMap> ClusterView::offsets_at(std::span<const TopicPartition> partitions,
                                          std::int64_t time_ms) {
  KS_TRY_VALUE(ends, log_ends(partitions));
  KS_TRY_VALUE(found, offsets(partitions, time_ms));
  for (auto& [partition, offset] : found) {
    offset = offset < 0 ? ends.at(partition) : offset;
  }
  return found;
}

Result<OffsetMap> ClusterView::log_ends(std::span<const TopicPartition> partitions) {
  return offsets(partitions, RD_KAFKA_OFFSET_END);
}

Result<LogBoundsMap> ClusterView::log_bounds(std::span<const TopicPartition> partitions) {
  KS_TRY_VALUE(starts, offsets(partitions, RD_KAFKA_OFFSET_BEGINNING));
  KS_TRY_VALUE(ends, offsets(partitions, RD_KAFKA_OFFSET_END));
  LogBoundsMap bounds;
  for (const auto& [partition, start] : starts) {
    bounds[partition] = {start, ends.at(partition)};
  }
  return bounds;
}

}  // namespace kstream::kafka
