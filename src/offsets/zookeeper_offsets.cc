#include "offsets/zookeeper_offsets.h"

#include <fmt/format.h>

#include <map>

#include "offsets/zookeeper_layout.h"
#include "offsets/zookeeper_session.h"

namespace kstream {
namespace {

using Kind = ZooKeeperSession::Kind;
using Request = ZooKeeperSession::Request;

constexpr std::string_view kNotPublished = "Not all positions were published.";
constexpr std::string_view kNotRead = "Positions were not read.";

ExitCode exit_code(int code) {
  switch (code) {
    case ZNOAUTH:
    case ZAUTHFAILED:
    case ZSESSIONCLOSEDREQUIRESASLAUTH:
      return ExitCode::kNoPermission;
    case ZBADARGUMENTS:
      return ExitCode::kUsage;
    case ZTHROTTLEDOP:
      return ExitCode::kUnavailable;
    default:
      return ExitCode::kInternal;
  }
}

}  // namespace

Result<std::unique_ptr<ZooKeeperOffsets>> ZooKeeperOffsets::create(std::string_view address,
                                                                   std::string_view group) {
  KS_TRY_VALUE(parsed, parse_zookeeper_address(address));
  KS_TRY(check_zookeeper_group(group));
  std::string name = fmt::format("ZooKeeper {}, group '{}'", address, group);
  auto session = std::make_unique<ZooKeeperSession>(std::move(parsed.servers), name);
  return std::unique_ptr<ZooKeeperOffsets>(new ZooKeeperOffsets(
      std::move(name), std::move(parsed.chroot), std::string(group), std::move(session)));
}

ZooKeeperOffsets::ZooKeeperOffsets(std::string name, std::string chroot, std::string group,
                                   std::unique_ptr<ZooKeeperSession> session)
    : name_(std::move(name)),
      chroot_(std::move(chroot)),
      group_(std::move(group)),
      session_(std::move(session)) {}

ZooKeeperOffsets::~ZooKeeperOffsets() = default;

Status ZooKeeperOffsets::publish(const OffsetMap& next) {
  if (next.empty()) {
    return {};
  }
  const std::int64_t deadline_ms = session_->deadline_ms();
  std::vector<Request> requests;
  requests.reserve(next.size());
  for (const auto& [partition, offset] : next) {
    requests.push_back(
        {Kind::kSet, offset_node(chroot_, group_, partition), std::to_string(offset)});
  }
  KS_TRY_VALUE(answers, session_->ask(requests, deadline_ms));
  OffsetMap missing;
  std::size_t i = 0;
  for (const auto& position : next) {
    if (answers[i].code == ZNONODE) {
      missing.insert(position);
    } else if (answers[i].code != ZOK) {
      return refusal(requests[i].node, answers[i].code, kNotPublished);
    }
    ++i;
  }
  return missing.empty() ? Status() : create_and_set(missing, deadline_ms);
}

// All in one go: whether a node was there is decided by its set at the end, whatever the creation
// says. A server may forbid to create a parent that is there already.
Status ZooKeeperOffsets::create_and_set(const OffsetMap& next, std::int64_t deadline_ms) {
  std::map<std::string, std::string> nodes;  // and their values; those above come first
  std::vector<Request> sets;
  sets.reserve(next.size());
  for (const auto& [partition, offset] : next) {
    std::string node = offset_node(chroot_, group_, partition);
    for (std::string& parent : parent_nodes(node)) {
      nodes.try_emplace(std::move(parent));
    }
    nodes[node] = std::to_string(offset);  // at no time is there a node without an offset
    sets.push_back({Kind::kSet, std::move(node), std::to_string(offset)});
  }
  std::vector<Request> requests;
  requests.reserve(nodes.size() + sets.size());
  for (const auto& [node, value] : nodes) {
    requests.push_back({Kind::kCreate, node, value});
  }
  requests.insert(requests.end(), sets.begin(), sets.end());
  KS_TRY_VALUE(answers, session_->ask(requests, deadline_ms));
  const Request* not_made = nullptr;
  int reason = ZOK;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const int code = answers[i].code;
    if (requests[i].kind == Kind::kCreate) {
      if (not_made == nullptr && code != ZOK && code != ZNODEEXISTS) {
        not_made = &requests[i];
        reason = code;
      }
    } else if (code == ZNONODE && not_made != nullptr) {
      return refusal(not_made->node, reason, kNotPublished);
    } else if (code != ZOK) {
      return refusal(requests[i].node, code, kNotPublished);
    }
  }
  return {};
}

Result<OffsetMap> ZooKeeperOffsets::read(std::span<const TopicPartition> partitions) {
  OffsetMap found;
  if (partitions.empty()) {
    return found;
  }
  std::vector<Request> requests;
  requests.reserve(partitions.size());
  for (const TopicPartition& partition : partitions) {
    requests.push_back({Kind::kGet, offset_node(chroot_, group_, partition), {}});
  }
  KS_TRY_VALUE(answers, session_->ask(requests, session_->deadline_ms()));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::string& node = requests[i].node;
    if (answers[i].code == ZNONODE) {
      continue;
    }
    if (answers[i].code != ZOK) {
      return refusal(node, answers[i].code, kNotRead);
    }
    const auto offset = parse_offset_value(answers[i].value);
    if (!offset.ok()) {
      return Error{offset.error().code,
                   fmt::format("{}, node {}: {}. {} Correct it, or delete the node.", name_, node,
                               offset.error().text, kNotRead)};
    }
    found[partitions[i]] = offset.value();
  }
  return found;
}

Error ZooKeeperOffsets::refusal(const std::string& node, int code,
                                std::string_view consequence) const {
  const ExitCode why = exit_code(code);
  return {why,
          fmt::format("{}, node {}: {} ({}). {}{}", name_, node, zerror(code), code, consequence,
                      why == ExitCode::kNoPermission ? " The node, or the one above it, must be "
                                                       "open to everybody."
                                                     : ""),
          why == ExitCode::kUnavailable};
}

}  // namespace kstream
