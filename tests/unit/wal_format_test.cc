// The log's bytes: what a frame is, what a damaged one is taken for, and files that never change.
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "wal/format.h"
#include "wal/recovery.h"
#include "wal_fixture.h"

namespace kstream::wal {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kEvery = 17;  // a sanitizer looks for other things
constexpr int kMutations = 2'000;
#else
constexpr std::size_t kEvery = 1;
constexpr int kMutations = 20'000;
#endif
constexpr std::uint64_t kSeed = 0x0123456789abcdef;
constexpr Options kTiny{224 * 1024, 28 * 1024, kSeed};
const TopicPartition kA{"test", 0};
const TopicPartition kB{"test", 1};
const TopicPartition kC{"other", 0};

std::string golden_path(std::uint64_t number) {
  return std::string(KSTREAM_GOLDEN_DIR) + "/wal_" + std::to_string(number) + ".wal";
}

std::string golden(std::uint64_t number) {
  std::ifstream file(golden_path(number), std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  REQUIRE_FALSE(content.str().empty());
  return content.str();
}

std::string path_of(std::uint64_t number) {
  return std::string(kLogDirectory) + "/" + segment_name(number);
}

// Segments in memory, and what recovery says of them.
struct Files {
  explicit Files(const std::map<std::uint64_t, std::string>& segments) {
    disk.boot(peace);
    for (const auto& [number, bytes] : segments) {
      REQUIRE(disk.write_synced(path_of(number), bytes).ok());
    }
  }
  Result<Recovered> recover() { return wal::recover(disk, kLogDirectory, std::nullopt); }

  Fate peace{1, 0};
  SimulatedDisk disk;
};

std::map<std::uint64_t, std::string> golden_segments() {
  return {{1, golden(1)}, {2, golden(2)}};
}

// What today's writer makes of the golden log's story; free space is not part of it.
std::map<std::uint64_t, std::string> written_segments() {
  Fate peace{1, 0};
  SimulatedDisk disk;
  disk.boot(peace);
  StoppedClock clock;
  auto log = WriteAheadLog::create(disk, clock, kLogDirectory, kStream, kTiny).value();
  RecordBlock block;
  const auto append = [&](const TopicPartition& partition, Offset from, Offset until) {
    std::vector<Offset> offsets;
    for (Offset offset = from; offset < until; offset += 2) {
      offsets.push_back(offset);
    }
    fill(block, partition, offsets, 20);
    const BlockToLog one{&block, {partition, from, until}};
    REQUIRE(log->append({&one, 1}).ok());
  };
  append(kA, 5120, 5310);
  const BatchPlan first{1, 1514260202000, {{kA, 5120, 5310}, {kB, 0, 0}}};
  REQUIRE(log->append_batch(std::nullopt, &first).ok());
  log->acknowledge({{kA, 5310}});
  append(kB, 0, 100);
  append(kA, 5310, 5314);
  append(kC, 7, 9);  // rolls
  const BatchPlan second{2, 1514260204000, {{kC, 7, 9}, {kA, 5310, 5314}, {kB, 0, 100}}};
  REQUIRE(log->append_batch(1, &second).ok());
  append(kA, 5314, 5320);
  fill(block, kB, {});
  RecordBlock more;
  fill(more, kC, {9, 10});
  const BlockToLog both[] = {{&block, {kB, 100, 101}}, {&more, {kC, 9, 11}}};
  REQUIRE(log->append(both).ok());
  std::map<std::uint64_t, std::string> segments;
  const std::vector<std::string> names = disk.names(kLogDirectory).value();
  for (const std::string& name : names) {
    const std::uint64_t number = *segment_number(name);
    std::string bytes = disk.content(path_of(number));
    const std::size_t end = bytes.find_last_not_of('\0') + 1;
    if (bytes.size() > end + kAlignment) {
      bytes.resize(align_up(end) + kAlignment);
    }
    segments[number] = bytes;
  }
  return segments;
}

// Where the frames of the golden log's second segment are.
struct FrameAt {
  std::uint64_t at;
  std::uint64_t end;
  bool begins_group;
};

std::vector<FrameAt> frames_of_last(Files& files) {
  std::vector<FrameAt> frames;
  const auto recovered =
      wal::recover(files.disk, kLogDirectory, std::nullopt,
                   [&](std::string_view segment, const Frame& frame, const LogState&) {
                     if (segment == segment_name(2)) {
                       frames.push_back({frame.at, frame.at + frame.header.frame_bytes(),
                                         frame.header.begins_group});
                     }
                   });
  REQUIRE(recovered.ok());
  return frames;
}

// A segment of the frames given, each the first of a group.
struct Built {
  using Content = std::pair<FrameType, std::string>;

  static std::string segment(const std::vector<Content>& contents, SegmentHeader header = {},
                             std::uint32_t records = 0) {
    std::string bytes(kSegmentHeaderBytes, '\0');
    FrameHeader frame;
    frame.sequence = header.first_sequence;
    for (const auto& [type, payload] : contents) {
      frame.type = static_cast<std::uint8_t>(type);
      frame.begins_group = true;
      bytes.resize(align_up(bytes.size()));
      put_frame(bytes, frame, {payload}, header.seed);
      frame.records = records;
      ++frame.sequence;
    }
    header.bytes_when_named = std::min<std::uint64_t>(bytes.size(), kSegmentHeaderBytes + 1);
    return bytes.replace(0, kSegmentHeaderBytes, encode(header));
  }
};

std::string rule_broken(const std::vector<Built::Content>& contents, std::uint32_t records = 0) {
  SegmentHeader header;
  header.number = 1;
  Files files({{1, Built::segment(contents, header, records)}});
  const auto recovered = files.recover();
  REQUIRE_FALSE(recovered.ok());
  CHECK(recovered.error().code == ExitCode::kData);
  CHECK(has(recovered.error().text, path_of(1) + ": byte "));
  return recovered.error().text;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

}  // namespace

TEST_CASE("log format: headers, names and stream ids are read back") {
  SegmentHeader header;
  header.stream = *parse_stream_id(kStream);
  header.number = 7;
  header.first_sequence = 1'000;
  header.created_ms = 1514260200000;
  header.predecessor_bytes = 4096;
  header.predecessor_hash = UINT64_MAX;
  header.seed = kSeed;
  header.bytes_when_named = 5000;
  CHECK(decode_segment_header(encode(header)).value() == header);
  CHECK(to_string(header.stream) == kStream);
  CHECK_FALSE(parse_stream_id("6f1c9d1e4b0a4e559c3b0f5f6d1f2a3b"));
  CHECK_FALSE(parse_stream_id(""));
  CHECK(segment_name(42) == "00000000000000000042.wal");
  CHECK(segment_number(segment_name(UINT64_MAX)) == UINT64_MAX);
  CHECK_FALSE(segment_number("00000000000000000042.wal.tmp"));
  CHECK_FALSE(segment_number("0000000000000000004x.wal"));
}

TEST_CASE("log format: each payload is read back, and every shorter one is refused") {
  LogState state;
  state.segments.push_back({});
  state.topics.add("test");
  state.topics.add("other");
  state.log({kA, 0, INT64_MAX});
  state.log({kC, 5, 5});
  state.plan({7, INT64_MAX, {{kA, 0, INT64_MAX}, {kC, 5, 5}}});
  state.log({{"other", INT32_MAX}, 1, 2});
  state.acknowledge({{kB, 3}});
  const std::string stored = encode_state(state);
  CHECK(encode_state(decode_state(stored).value()) == stored);
  CHECK(decode_state(stored).value().in_hand == state.in_hand);
  CHECK(decode_state(stored).value().unplanned == 1);
  const std::string batch = encode_batch(state.topics, {8, 12, {{kA, 3, 4}}});
  CHECK(decode_batch(state.topics, batch).value() == BatchPlan{8, 12, {{kA, 3, 4}}});
  const std::string offsets = encode_offsets(state.topics, {{kA, 300}, {kC, 0}});
  CHECK(decode_offsets(state.topics, offsets).value() == OffsetMap{{kA, 300}, {kC, 0}});
  CHECK(decode_processed(encode_processed(300)).value() == 300);
  const std::string records = encode_records(state.topics, {kC, 300, 400});
  CHECK(decode_records(records + "rest").value().content == "rest");
  CHECK(decode_records(records).value().until == 400);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    CHECK_FALSE(decode_state(stored.substr(0, i)).ok());
    CHECK_FALSE(decode_batch(state.topics, batch.substr(0, std::min(i, batch.size() - 1))).ok());
    CHECK_FALSE(
        decode_offsets(state.topics, offsets.substr(0, std::min(i, offsets.size() - 1))).ok());
    CHECK_FALSE(decode_records(records.substr(0, std::min(i, records.size() - 1))).ok());
  }
  CHECK_FALSE(decode_state(stored + '\0').ok());
  CHECK_FALSE(decode_processed("").ok());
  CHECK_FALSE(decode_batch(Topics(), batch).ok());
}

TEST_CASE("log format: the frame that docs/FORMATS.md shows") {
  RecordBlock block;
  block.start(kA);
  REQUIRE(block.append({5120, 1514260200000, std::nullopt, "hello world"}));
  REQUIRE(block.append({5121, 1514260200005, "k", std::nullopt}));
  Topics topics;
  topics.add("test");
  FrameHeader header;
  header.type = static_cast<std::uint8_t>(FrameType::kRecords);
  header.begins_group = true;
  header.records = block.records();
  header.sequence = 2;
  std::string frame;
  put_frame(frame, header, {encode_records(topics, {kA, 5120, 5122}), block.content()}, kSeed);
  CHECK(hex(frame) ==
        "4b46524d1f0000000200000000000000"
        "0200000001100000"
        "0ada3a6cbe8eb561"
        "66e7e79bc4278a61"
        "0000802802802880"
        "e9878f9258011668656c6c6f20776f72"
        "6c64010a026b0100");
  const auto decoded = decode_frame_header(frame, kSeed);
  REQUIRE(decoded);
  CHECK(decoded->records == 2);
  CHECK(decoded->sequence == 2);
  CHECK(is_payload_of(*decoded, frame.substr(kFrameHeaderBytes), kSeed));
  CHECK_FALSE(decode_frame_header(frame, kSeed + 1));  // another segment's
}

// KSTREAM_WRITE_GOLDEN=1 writes the files: only for a new version of the format.
TEST_CASE("log format: today's writer makes the golden segments") {
  const auto written = written_segments();
  REQUIRE(written.size() == 2);
  for (const auto& [number, bytes] : written) {
    if (std::getenv("KSTREAM_WRITE_GOLDEN") != nullptr) {
      std::ofstream(golden_path(number), std::ios::binary) << bytes;
    }
    CHECK(hex(bytes) == hex(golden(number)));
  }
}

TEST_CASE("log format: today's reader reads the golden segments") {
  Files files(golden_segments());
  const auto recovered = files.recover();
  REQUIRE(recovered.ok());
  const Recovered& found = recovered.value();
  CHECK(found.end == SegmentEnd::kClean);
  CHECK(found.obsolete.empty());
  CHECK(found.state.ends == OffsetMap{{kA, 5320}, {kB, 101}, {kC, 11}});
  CHECK(found.state.acknowledged == OffsetMap{{kA, 5310}});
  CHECK(found.state.last_batch == 2);
  CHECK(found.state.last_time_ms == 1514260204000);
  REQUIRE(found.planned.size() == 3);
  REQUIRE(found.unplanned.size() == 3);
  CHECK(found.planned[0].covers == OffsetRange{kB, 0, 100});
  CHECK(found.planned[0].place.segment == 1);
  CHECK(found.unplanned[1].records == 0);
  StoppedClock clock;
  auto log = WriteAheadLog::open(files.disk, clock, kLogDirectory, kStream, kTiny);
  REQUIRE(log.ok());
  RecordBlock block;
  const Unprocessed left = log.value()->take_unprocessed();
  REQUIRE(log.value()->read(left.planned[0], block).ok());
  CHECK(offsets_in(block).size() == 50);
  REQUIRE(log.value()->read(left.unplanned[2], block).ok());
  CHECK(offsets_in(block) == std::vector<Offset>{9, 10});
}

TEST_CASE("log format: every flipped bit is found, and taken for what it is") {
  Files files(golden_segments());
  const std::vector<FrameAt> frames = frames_of_last(files);
  const auto last_group = std::find_if(frames.rbegin(), frames.rend(),
                                       [](const FrameAt& frame) { return frame.begins_group; });
  std::size_t flips = 0;
  for (const std::uint64_t number : {1, 2}) {
    std::string& bytes = files.disk.content(path_of(number));
    for (std::size_t i = 0; i < bytes.size() * 8; i += kEvery) {
      const auto flip = [&] { bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << (i % 8))); };
      flip();
      const auto recovered = files.recover();
      flip();
      ++flips;
      const bool may_be_torn = number == 2 && i / 8 >= last_group->at;
      if (!may_be_torn) {
        if (recovered.ok() || recovered.error().code != ExitCode::kData ||
            !has(recovered.error().text, path_of(number) + ": byte ")) {
          FAIL("segment " << number << " byte " << i / 8 << " bit " << i % 8 << " is not corrupt");
        }
        continue;
      }
      // The frames before it are what is left.
      const auto hit = std::find_if(frames.begin(), frames.end(),
                                    [&](const FrameAt& frame) { return i / 8 < frame.end; });
      if (!recovered.ok() || recovered.value().end != SegmentEnd::kTorn ||
          recovered.value().end_at != (hit - 1)->end) {
        FAIL("segment " << number << " byte " << i / 8 << " bit " << i % 8 << " is not torn");
      }
    }
  }
  CHECK(flips > 100'000 / kEvery);
}

TEST_CASE("log format: every shorter file is found, and taken for what it is") {
  Files files(golden_segments());
  const std::vector<FrameAt> frames = frames_of_last(files);
  const std::string whole[] = {golden(1), golden(2)};
  for (std::size_t i = 0; i < whole[0].size(); ++i) {
    files.disk.content(path_of(1)) = whole[0].substr(0, i);
    const auto recovered = files.recover();
    if (recovered.ok() || recovered.error().code != ExitCode::kData) {
      FAIL("the first segment, cut to " << i << " bytes, is not corrupt");
    }
  }
  files.disk.content(path_of(1)) = whole[0];
  for (std::size_t i = 0; i < whole[1].size(); ++i) {
    files.disk.content(path_of(2)) = whole[1].substr(0, i);
    const auto recovered = files.recover();
    if (i < frames[0].end) {
      if (recovered.ok() || recovered.error().code != ExitCode::kData) {
        FAIL("the last segment, cut to " << i << " bytes, is not corrupt");
      }
      continue;
    }
    const auto cut = std::find_if(frames.begin(), frames.end(),
                                  [&](const FrameAt& frame) { return i < frame.end; });
    // Of a frame whose visible bytes are zeros nothing is seen.
    const bool is_cut =
        cut != frames.end() && whole[1].substr(0, i).find_last_not_of('\0') + 1 > cut->at;
    if (!recovered.ok() || recovered.value().end_at != (cut - 1)->end ||
        recovered.value().end != (is_cut ? SegmentEnd::kTorn : SegmentEnd::kClean)) {
      FAIL("the last segment, cut to " << i << " bytes, is not a prefix");
    }
  }
}

TEST_CASE("log format: random damage is survived, and gives a prefix or an error") {
  Files files(golden_segments());
  const std::string whole[] = {golden(1), golden(2)};
  std::mt19937_64 random(1);
  const auto up_to = [&](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(random);
  };
  const std::size_t frames = frames_of_last(files).size();
  for (int i = 0; i < kMutations; ++i) {
    const std::size_t which = up_to(1);
    std::string bytes = whole[which];
    for (std::size_t left = up_to(3);; --left) {
      const std::size_t at = up_to(bytes.size() - 1);
      const std::size_t count = std::min(up_to(2000), bytes.size() - at);
      switch (up_to(4)) {
        case 0:
          bytes.replace(at, count, count, '\0');
          break;
        case 1:
          bytes.erase(at, count);
          break;
        case 2:
          bytes.insert(at, bytes.substr(up_to(bytes.size() - 1), count));
          break;
        case 3:
          bytes.replace(at, count, whole[1 - which].substr(0, count));
          break;
        default:
          bytes[at] = static_cast<char>(random());
      }
      if (left == 0 || bytes.empty()) {
        break;
      }
    }
    files.disk.content(path_of(which + 1)) = bytes;
    std::size_t good = 0;
    const auto recovered =
        wal::recover(files.disk, kLogDirectory, std::nullopt,
                     [&](std::string_view segment, const Frame&, const LogState&) {
                       good += segment == segment_name(2) ? 1 : 0;
                     });
    if (recovered.ok() && bytes.find_last_not_of('\0') != whole[which].find_last_not_of('\0') &&
        (which == 0 || good > frames)) {
      FAIL("mutation " << i << " is not seen");
    }
    files.disk.content(path_of(which + 1)) = whole[which];
  }
}

TEST_CASE("log format: each rule has its text") {
  LogState empty;
  empty.topics.add("test");
  const Built::Content state{FrameType::kState, encode_state(empty)};
  const auto records = [&](Offset from, Offset until) {
    return Built::Content{FrameType::kRecords, encode_records(empty.topics, {kA, from, until})};
  };
  const auto batch = [&](BatchId id) {
    return Built::Content{FrameType::kBatch, encode_batch(empty.topics, {id, 1, {{kA, 0, 1}}})};
  };
  const Built::Content done{FrameType::kProcessed, encode_processed(1)};
  CHECK(has(rule_broken({records(0, 1)}), "first frame is not a STATE"));
  CHECK(has(rule_broken({state, records(0, 5), records(4, 6)}),
            "test:0 [4, 6), which begins below 5"));
  CHECK(has(rule_broken({state, batch(2)}), "batch 2 follows batch 0"));
  CHECK(has(rule_broken({state, batch(1), batch(2)}), "batch 2 is planned while 1 is in hand"));
  CHECK(has(rule_broken({state, done}), "batch 1 is processed, in hand is 0"));
  CHECK(has(rule_broken({state, batch(1), done, done}), "batch 1 is processed, in hand is 0"));
  CHECK(has(rule_broken({state, records(0, 1), state}), "differs from what the frames before"));
  CHECK(has(rule_broken({state, {FrameType::kState, encode_state({})}}), "other topics"));
  CHECK(
      has(rule_broken({{FrameType::kState, encode_state(empty) + "x"}}), "does not hold a state"));
  CHECK(has(rule_broken({state, {FrameType::kRecords, "\x01\x02\x03\x04"}}), "names topic 1 of 1"));
  CHECK(has(rule_broken({state, {FrameType::kRecords, ""}}), "what it covers"));
  CHECK(has(rule_broken({state, {FrameType::kBatch, "\xff"}}), "does not hold a batch"));
  CHECK(has(rule_broken({state, {FrameType::kProcessed, ""}}), "a batch's id"));
  CHECK(has(rule_broken({state, {FrameType::kCommitted, "\x09"}}), "does not hold offsets"));
  CHECK(has(rule_broken({state, {FrameType::kSeal, "x"}}), "SEAL frame is not empty"));
  CHECK(has(rule_broken({state, {FrameType::kSeal, ""}, state}), "follows the segment's SEAL"));
  CHECK(has(rule_broken({state, batch(1)}, 3), "a frame of type 2 has records"));
  CHECK(has(rule_broken({state, {static_cast<FrameType>(9), ""}}), "type 9 is one that this"));
  SegmentHeader header;
  header.number = 1;
  Files skipped({{1, Built::segment({state, {static_cast<FrameType>(0x89), "?"}}, header)}});
  CHECK(skipped.recover().ok());
  empty.unplanned = 2;
  CHECK(has(rule_broken({{FrameType::kState, encode_state(empty)}}),
            "segments before it are missing, with 2 blocks"));
}

TEST_CASE("log format: a segment that is missing, foreign or another's is found") {
  const auto text = [](const std::map<std::uint64_t, std::string>& segments) {
    const auto recovered = Files(segments).recover();
    REQUIRE_FALSE(recovered.ok());
    CHECK(recovered.error().code == ExitCode::kData);
    return recovered.error().text;
  };
  const auto whole = golden_segments();
  CHECK(has(text({}), "the log is missing"));
  CHECK(has(text({{2, whole.at(2)}}), "segments before it are missing, with 2 blocks"));
  CHECK(has(text({{1, whole.at(1)}, {3, whole.at(2)}}), "says that it is segment 2"));
  SegmentHeader header = decode_segment_header(whole.at(2).substr(0, kSegmentHeaderBytes)).value();
  const auto with_header = [&] {
    std::string bytes = whole.at(2);
    return bytes.replace(0, kSegmentHeaderBytes, encode(header));
  };
  ++header.first_sequence;
  CHECK(has(text({{1, whole.at(1)}, {2, with_header()}}), "a segment between is missing"));
  --header.first_sequence;
  ++header.predecessor_hash;
  CHECK(has(text({{1, whole.at(1)}, {2, with_header()}}), "or another last frame"));
  --header.predecessor_hash;
  ++header.seed;
  CHECK(has(text({{1, whole.at(1)}, {2, with_header()}}), "does not begin there"));
}

}  // namespace kstream::wal
