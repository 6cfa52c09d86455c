#include "checkpoint/identity.h"

#include <fmt/format.h>

#include <cstdint>
#include <random>

#include "checkpoint/json.h"
#include "checkpoint/sealed_text.h"

namespace kstream {
namespace {

constexpr std::string_view kTitle = "kstream-identity 1";

Error broken(std::string rule) {
  return Error{ExitCode::kData, std::move(rule)};
}

}  // namespace

std::string encode(const Identity& identity) {
  Json json;
  json["stream"] = identity.stream;
  json["cluster"] = identity.cluster;
  json["topics"] = identity.topics;
  json["source"] = identity.source;
  if (!identity.group.empty()) {
    json["group"] = identity.group;
  }
  json["isolation"] = identity.isolation;
  json["decode"] = identity.decode;
  json["split"] = identity.split;
  if (!identity.filter.empty()) {
    json["filter"] = identity.filter;
  }
  if (!identity.handler.empty()) {
    json["handler"] = identity.handler;
  }
  return seal(kTitle, json.dump());
}

Result<Identity> decode_identity(std::string_view text) {
  KS_TRY_VALUE(line, unseal(kTitle, text));
  KS_TRY_VALUE(json, parse_object(line));
  Identity identity;
  for (const auto& [name, member] :
       {std::pair("stream", &Identity::stream), std::pair("cluster", &Identity::cluster),
        std::pair("source", &Identity::source), std::pair("isolation", &Identity::isolation),
        std::pair("decode", &Identity::decode), std::pair("split", &Identity::split)}) {
    KS_TRY_VALUE(value, text_field(json, name));
    identity.*member = std::move(value);
  }
  for (const auto& [name, member] :
       {std::pair("group", &Identity::group), std::pair("filter", &Identity::filter),
        std::pair("handler", &Identity::handler)}) {
    if (json.contains(name)) {
      KS_TRY_VALUE(value, text_field(json, name));
      identity.*member = std::move(value);
    }
  }
  const auto topics = json.find("topics");
  if (topics == json.end() || !topics->is_array()) {
    return broken("'topics' is missing or not an array");
  }
  for (const Json& topic : *topics) {
    if (!topic.is_string()) {
      return broken("'topics' has something that is not a text");
    }
    identity.topics.push_back(topic.get<std::string>());
  }
  if (encode(identity) != text) {
    return broken("it has fields that are unknown, given twice or in another order");
  }
  return identity;
}

Status check_same(const Identity& stored, const Identity& wanted, const std::string& directory) {
  std::string difference;
  const auto compare = [&](std::string_view name, const std::string& is, const std::string& asked) {
    if (is != asked) {
      difference +=
          fmt::format("{}{} {} there, {} here", difference.empty() ? "" : "; ", name, is, asked);
    }
  };
  compare("cluster", stored.cluster, wanted.cluster);
  compare("topics", fmt::format("{}", fmt::join(stored.topics, ",")),
          fmt::format("{}", fmt::join(wanted.topics, ",")));
  compare("source", stored.source, wanted.source);
  compare("group", stored.group, wanted.group);
  compare("records", stored.isolation, wanted.isolation);
  compare("--decode", stored.decode, wanted.decode);
  compare("--split", stored.split, wanted.split);
  const auto or_none = [](const std::string& text) { return text.empty() ? "none" : text; };
  compare("filter", or_none(stored.filter), or_none(wanted.filter));
  compare("--handler", or_none(stored.handler), or_none(wanted.handler));
  if (difference.empty()) {
    return {};
  }
  return Error{ExitCode::kConfig,
               fmt::format("{}: is the state of another stream: {}. Nothing was read. Name another "
                           "--state-dir, or forget this one with: rm -r {}",
                           directory, difference, directory)};
}

std::string new_stream_id() {
  std::random_device random;
  const auto word = [&random] { return std::uint32_t{random()}; };
  const std::uint32_t a = word();
  const std::uint32_t b = (word() & 0xffff0fffU) | 0x00004000U;
  const std::uint32_t c = (word() & 0x3fffffffU) | 0x80000000U;
  const std::uint32_t d = word();
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", a, b >> 16U, b & 0xffffU, c >> 16U,
                     c & 0xffffU, d);
}

}  // namespace kstream
