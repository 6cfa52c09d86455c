#include <memory>
#include <string>

#include "catch.h"
#include "model/batch.h"
#include "model/record_block.h"
#include "model/record_headers.h"

namespace kstream {
namespace {

const TopicPartition kPartition{"test", 3};

struct Record {
  Offset offset;
  std::int64_t timestamp_ms;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::string headers{};
  bool operator==(const Record&) const = default;
};

std::vector<Record> records_of(const RecordBlock& block) {
  std::vector<Record> records;
  RecordBlock::Reader reader(block);
  while (const RecordView* view = reader.next()) {
    records.push_back({view->offset, view->timestamp_ms, std::optional<std::string>(view->key),
                       std::optional<std::string>(view->value), std::string(view->headers)});
  }
  return records;
}

RecordView view_of(const Record& record) {
  return {record.offset, record.timestamp_ms, record.key, record.value, record.headers};
}

}  // namespace

TEST_CASE("batch plan: a partition stands where its last range ends") {
  const TopicPartition other{"other", 0};
  const BatchPlan plan{1, 1, {{other, 7, 7}, {kPartition, 0, 5}, {kPartition, 9, 12}}};
  CHECK(offsets_after(plan) == OffsetMap{{other, 7}, {kPartition, 12}});
}

TEST_CASE("record block: gives back what it was given, nulls and extremes included") {
  const std::vector<Record> records = {
      {0, 0, std::nullopt, std::nullopt},
      {1, -1, "", ""},
      {127, 1514260202000, std::string("\0k", 2), "v"},
      {128, 1514260201000, std::nullopt, std::string(300, 'x')},
      {INT64_MAX - 1, INT64_MAX / 2, "key", std::string(70000, 'y')},
  };
  RecordBlock block;
  block.start(kPartition);
  for (const Record& record : records) {
    REQUIRE(block.append(view_of(record)));
  }
  CHECK(block.records() == records.size());
  CHECK(block.partition() == kPartition);
  CHECK(records_of(block) == records);
}

TEST_CASE("record block: its content makes the same block again, and no other content is taken") {
  RecordBlock block;
  block.start(kPartition);
  REQUIRE(block.append({7, -5, "key", std::nullopt}));
  REQUIRE(block.append({9, 1514260200000, std::nullopt, ""}));
  const std::string content(block.content());
  CHECK(block.first_offset() == 7);
  RecordBlock copy;
  REQUIRE(copy.load(kPartition, 2, content));
  CHECK(copy.content() == content);
  CHECK(copy.partition() == kPartition);
  CHECK(copy.first_offset() == 7);
  CHECK(copy.last_offset() == 9);
  CHECK(RecordBlock::Reader(copy).next()->key == "key");
  REQUIRE(copy.append({10, 0, std::nullopt, std::nullopt}));
  for (std::size_t i = 0; i < content.size(); ++i) {
    CHECK_FALSE(copy.load(kPartition, 2, content.substr(0, i)));
    CHECK(copy.is_empty());
  }
  CHECK_FALSE(copy.load(kPartition, 1, content));
  CHECK_FALSE(copy.load(kPartition, 3, content));
  CHECK(copy.load(kPartition, 0, ""));
  const std::string record("\x00\x00\x01\x01", 4);  // offset 0, no key, no value
  CHECK(copy.load(kPartition, 1, record));
  CHECK_FALSE(copy.load(kPartition, 2, record + record));                     // does not rise
  CHECK_FALSE(copy.load(kPartition, 1, std::string("\x00\x00\x03\x01", 4)));  // a length of -2
  const std::string most = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
  CHECK(copy.load(kPartition, 1, most + record.substr(1)));
  CHECK_FALSE(copy.load(kPartition, 2, most + record.substr(1) + "\x01" + record.substr(1)));
  CHECK_FALSE(copy.load(kPartition, 1, "\xff" + most + "\x01" + record.substr(1)));
  const std::string large(2 * RecordBlock::kBytes, 'x');
  block.start(kPartition);
  REQUIRE(block.append({0, 0, std::nullopt, large}));
  REQUIRE(copy.load(kPartition, 1, block.content()));
  CHECK(RecordBlock::Reader(copy).next()->value == large);
}

TEST_CASE("record block: headers lie before the key, and records without any are as they were") {
  std::string headers;
  put_header(headers, {"trace", "a"});
  put_header(headers, {"trace", std::nullopt});
  put_header(headers, {"", std::string(300, 'h')});
  const std::vector<Record> records = {{1, 0, std::nullopt, "v", headers},
                                       {2, 0, "key", std::nullopt, ""},
                                       {3, 0, "", "w", headers}};
  RecordBlock block;
  block.start(kPartition);
  for (const Record& record : records) {
    REQUIRE(block.append(view_of(record)));
  }
  CHECK(records_of(block) == records);
  const std::string content(block.content());
  RecordBlock copy;
  REQUIRE(copy.load(kPartition, 3, content));
  CHECK(records_of(copy) == records);
  for (std::size_t i = 0; i < content.size(); ++i) {
    CHECK_FALSE(copy.load(kPartition, 3, content.substr(0, i)));
  }
  const auto loads = [&](std::string_view bytes) { return copy.load(kPartition, 1, bytes); };
  using namespace std::string_view_literals;
  CHECK(loads("\0\0\x03\x03\x01k\x01\x01\x01"sv));        // header "k", null
  CHECK_FALSE(loads("\0\0\x03\0\x01\x01"sv));             // no headers behind their mark
  CHECK_FALSE(loads("\0\0\x03\x02\x01k\x01\x01\x01"sv));  // cut inside a header
  CHECK_FALSE(loads("\0\0\x03\x7f\x01k\x01\x01\x01"sv));  // longer than the content
  CHECK_FALSE(loads("\0\0\x03\x03\x01k\x03\x01\x01"sv));  // a value's length of -2
  CHECK_FALSE(loads("\0\0\x03\x03\x01k\x01\x03\x01"sv));  // headers twice
  CHECK_FALSE(loads("\0\0\x03\x03\x7fk\x01\x01\x01"sv));  // a key longer than the headers
  std::string_view rest = headers;
  CHECK(take_header(rest)->value == "a");
  CHECK_FALSE(take_header(rest)->value.has_value());
  CHECK(take_header(rest)->key.empty());
  CHECK_FALSE(take_header(rest));
}

TEST_CASE("record block: full at its size, and not changed by what does not fit") {
  RecordBlock block;
  block.start(kPartition);
  Offset next = 0;
  const Record filler{0, 0, std::nullopt, std::string(1000, 'x')};
  while (block.append({next, 0, std::nullopt, filler.value})) {
    ++next;
  }
  CHECK(block.bytes() <= RecordBlock::kBytes);
  CHECK(block.bytes() > RecordBlock::kBytes - 1100);
  CHECK(records_of(block).size() == static_cast<std::size_t>(next));
}

TEST_CASE("record block: a record larger than a block has one of its own") {
  const std::string huge(16 * 1024 * 1024, 'z');
  RecordBlock block;
  block.start(kPartition);
  REQUIRE(block.append({5, 7, std::nullopt, huge}));
  CHECK_FALSE(block.append({6, 7, std::nullopt, "a"}));
  CHECK(records_of(block) == std::vector<Record>{{5, 7, std::nullopt, huge}});

  block.start(kPartition);
  CHECK(block.is_empty());
  REQUIRE(block.append({6, 7, std::nullopt, "a"}));
  CHECK_FALSE(block.append({7, 7, std::nullopt, huge}));
  CHECK(records_of(block).size() == 1);
}

}  // namespace kstream
