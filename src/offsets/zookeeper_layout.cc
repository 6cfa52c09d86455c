#include "offsets/zookeeper_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/parse.h"

namespace kstream {
namespace {

constexpr std::size_t kShownBytesMax = 40;  // of a value that is none

// ZooKeeper refuses these characters in the name of a node.
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_node_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
         std::none_of(name.begin(), name.end(), is_control);
}

Error bad_address(std::string_view text, std::string_view reason) {
  return {ExitCode::kUsage, fmt::format("ZooKeeper '{}': {}. Wanted is HOST:PORT[,HOST:PORT...]"
                                        "[/chroot], as in zk1:2181,zk2:2181/kafka",
                                        text, reason)};
}

// HOST:PORT as the C client takes it; empty if it is none.
std::string client_address(std::string_view server) {
  const std::size_t colon = server.rfind(':');
  if (colon == server.npos || !parse_integer(server.substr(colon + 1), 1, 65535).ok()) {
    return {};
  }
  std::string_view host = server.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty() || host.find_first_of("[] \t\r\n") != host.npos) {
    return {};
  }
  return fmt::format("{}{}", host, server.substr(colon));
}

}  // namespace

Result<ZooKeeperAddress> parse_zookeeper_address(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  ZooKeeperAddress address;
  for (const std::string_view server : split_list(text.substr(0, slash), ',')) {
    const std::string usable = client_address(server);
    if (usable.empty()) {
      return bad_address(text, fmt::format("'{}' is not HOST:PORT", server));
    }
    address.servers += (address.servers.empty() ? "" : ",") + usable;
  }
  const std::string_view chroot = text.substr(slash);
  if (chroot.size() <= 1) {
    return address;
  }
  if (chroot.find(',') != chroot.npos) {
    return bad_address(text, "the chroot stands once, behind the last server");
  }
  for (const std::string_view name : split_list(chroot.substr(1), '/')) {
    if (!is_node_name(name)) {
      return bad_address(text, fmt::format("'{}' cannot be a chroot", chroot));
    }
  }
  address.chroot = chroot;
  return address;
}

Status check_zookeeper_group(std::string_view group) {
  if (!is_node_name(group)) {
    return Error{ExitCode::kUsage,
                 fmt::format("group '{}': ZooKeeper has no node of this name. Nothing was "
                             "published. Choose a --group without '/'.",
                             group)};
  }
  return {};
}

std::string offset_node(std::string_view chroot, std::string_view group,
                        const TopicPartition& partition) {
  return fmt::format("{}/consumers/{}/offsets/{}/{}", chroot, group, partition.topic,
                     partition.partition);
}

std::vector<std::string> parent_nodes(std::string_view node) {
  std::vector<std::string> parents;
  for (std::size_t slash = node.find('/', 1); slash != node.npos;
       slash = node.find('/', slash + 1)) {
    parents.emplace_back(node.substr(0, slash));
  }
  return parents;
}

Result<Offset> parse_offset_value(std::string_view value) {
  constexpr std::string_view kWhiteSpace = " \t\r\n";
  const std::size_t first = std::min(value.find_first_not_of(kWhiteSpace), value.size());
  const std::size_t last = value.find_last_not_of(kWhiteSpace);
  const auto offset =
      parse_integer(value.substr(first, last == value.npos ? 0 : last + 1 - first), 0, INT64_MAX);
  if (!offset.ok()) {
    std::string shown(value.substr(0, kShownBytesMax));
    std::replace_if(shown.begin(), shown.end(), is_control, '?');
    return Error{ExitCode::kData,
                 fmt::format("its value '{}' ({} bytes) is not an offset", shown, value.size())};
  }
  return offset.value();
}

}  // namespace kstream
