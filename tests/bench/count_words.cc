// count_words ENGLISH_FILE [ROUNDS]: counts text that lies in memory, on one core, beside two ways
// that need no kernel: std::unordered_map<std::string>, and a flat hash map of string views
// (robin_map, which keeps hashes, with XXH3) whose words memchr finds. All of them in turn, round
// by round; CPU time; medians (default: 7 rounds, 3 of the large one). Ends with a line per goal:
// `name value goal ok|short`.
#include <tsl/robin_map.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipeline/counter.h"

using namespace kstream;

namespace {

constexpr std::size_t kMessageBytes = 100;
constexpr std::size_t kMiB = 1024 * 1024;
constexpr std::size_t kTextBytes = 48 * kMiB;  // more than the caches hold
constexpr std::size_t kDistinct = 10'000'000;
constexpr std::uint64_t kSeed = 0x5EED;

struct XxHash {
  std::size_t operator()(std::string_view word) const {
    return XXH3_64bits(word.data(), word.size());
  }
};
using StdMap = std::unordered_map<std::string, std::uint64_t>;
using FlatMap = tsl::robin_map<std::string_view, std::uint64_t, XxHash, std::equal_to<>,
                               std::allocator<std::pair<std::string_view, std::uint64_t>>, true>;

// Messages, as the reader hands them to a counting thread.
class Text {
 public:
  void append(std::string_view message) {
    const RecordView record{offset_, 1514260200000, std::nullopt, message};
    if (blocks_.empty() || !blocks_.back()->append(record)) {
      blocks_.push_back(std::make_unique<RecordBlock>());
      blocks_.back()->start({"bench", 0});
      KS_CHECK(blocks_.back()->append(record));
    }
    ++offset_;
    bytes_ += message.size();
  }
  double megabytes() const { return static_cast<double>(bytes_) / 1e6; }
  const std::vector<std::unique_ptr<RecordBlock>>& blocks() const { return blocks_; }

 private:
  std::vector<std::unique_ptr<RecordBlock>> blocks_;
  Offset offset_ = 0;
  std::size_t bytes_ = 0;
};

// Messages of kMessageBytes out of the words that `next` gives.
Text messages_of(std::size_t words, const std::function<std::string()>& next) {
  Text text;
  std::string message;
  for (std::size_t i = 0; i < words; ++i) {
    message.append(message.empty() ? 0 : 1, ' ').append(next());
    if (message.size() >= kMessageBytes || i + 1 == words) {
      text.append(message);
      message.clear();
    }
  }
  return text;
}

// Zipf over 50,000 words: word0, word1, ...; `mark` is appended to one word in ten.
Text zipf_text(const std::string& mark = "") {
  std::vector<double> weights;
  std::vector<std::string> words;
  for (int i = 0; i < 50'000; ++i) {
    weights.push_back(1.0 / (i + 1));
    words.push_back("word" + std::to_string(i) + (i % 10 == 3 ? mark : ""));
  }
  std::discrete_distribution<std::size_t> draw(weights.begin(), weights.end());
  std::mt19937_64 random(1);
  return messages_of(kTextBytes / 8, [&] { return words[draw(random)]; });
}

// 5 to 12 letters, of which the first five say the number: no two numbers have the same word.
std::string uniform_word(std::size_t number) {
  std::string word;
  std::size_t rest = number;
  for (int i = 0; i < 5; ++i, rest /= 26) {
    word += static_cast<char>('a' + rest % 26);
  }
  std::size_t noise = XXH3_64bits(&number, sizeof(number));
  for (std::size_t more = noise % 8; more > 0; --more, noise /= 26) {
    word += static_cast<char>('a' + noise / 8 % 26);
  }
  return word;
}

// Every word once, in no order, then as many drawn at random.
Text uniform_text() {
  std::vector<std::uint32_t> order(kDistinct);
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = static_cast<std::uint32_t>(i);
  }
  std::mt19937_64 random(2);
  std::shuffle(order.begin(), order.end(), random);
  std::size_t done = 0;
  return messages_of(2 * kDistinct, [&] {
    const std::size_t at = done++;
    return uniform_word(at < kDistinct ? order[at] : random() % kDistinct);
  });
}

Text lines_of(const char* path) {
  std::ifstream file(path);
  Text text;
  for (std::string line; std::getline(file, line);) {
    text.append(line);
  }
  if (text.blocks().empty()) {
    std::fprintf(stderr, "count_words: %s has no lines, so there is nothing to measure\n", path);
    std::exit(1);
  }
  return text;
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double seconds_of(const std::function<void()>& work) {
  const double start = cpu_seconds();
  work();
  return cpu_seconds() - start;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// The words as Split::kSpace has them, found with memchr.
template <class Count>
void for_each_spaced_word(const Text& text, Count&& count) {
  for (const auto& block : text.blocks()) {
    RecordBlock::Reader reader(*block);
    while (const RecordView* record = reader.next()) {
      const char* begin = record->value->data();
      const char* const end = begin + record->value->size();
      const auto find = [&] {
        return static_cast<const char*>(
            std::memchr(begin, ' ', static_cast<std::size_t>(end - begin)));
      };
      for (const char* space = find(); space != nullptr; space = find()) {
        count(std::string_view(begin, static_cast<std::size_t>(space - begin)));
        begin = space + 1;
      }
      count(std::string_view(begin, static_cast<std::size_t>(end - begin)));
    }
  }
}

// One way of counting a text. Each time into what an earlier batch left: only the first one grows.
struct Way {
  const char* name;
  std::function<void()> clear;
  std::function<void()> count;
  std::vector<double> seconds;
};

Way way_of(const char* name, const Text& text, const CountOptions& options) {
  const auto counter = std::make_shared<Counter>(options, kSeed);
  return {name,
          [counter] { counter->clear(); },
          [counter, &text] {
            for (const auto& block : text.blocks()) {
              counter->count(*block);
            }
          },
          {}};
}

CountOptions splitting(Split split) {
  CountOptions options;
  options.split = split;
  return options;
}

Way way_of_std_map(const Text& text) {
  const auto map = std::make_shared<StdMap>();
  return {"unordered_map",
          [map] { map->clear(); },
          [map, &text] {
            for_each_spaced_word(text, [&](std::string_view word) { ++(*map)[std::string(word)]; });
          },
          {}};
}

Way way_of_flat_map(const Text& text) {
  const auto map = std::make_shared<FlatMap>();
  return {
      "flat map",
      [map] { map->clear(); },
      [map, &text] { for_each_spaced_word(text, [&](std::string_view word) { ++(*map)[word]; }); },
      {}};
}

// The ways in turn, round by round; returns the median of each in MB/s.
std::vector<double> measure(const char* what, const Text& text, std::vector<Way> ways, int rounds) {
  for (int round = -1; round < rounds; ++round) {  // the first one only warms up
    for (Way& way : ways) {
      way.clear();
      const double seconds = seconds_of(way.count);
      if (round >= 0) {
        way.seconds.push_back(seconds);
      }
    }
  }
  std::vector<double> speeds;
  std::printf("%s:", what);
  for (const Way& way : ways) {
    speeds.push_back(text.megabytes() / median(way.seconds));
    std::printf(" %s %.0f MB/s%s", way.name, speeds.back(), &way == &ways.back() ? "\n" : ",");
  }
  std::fflush(stdout);
  return speeds;
}

struct Goal {
  std::string name;
  double value;
  double limit;
  bool is_at_most = false;
};

double resident_bytes() {
  std::ifstream status("/proc/self/statm");
  double pages = 0;
  status >> pages >> pages;
  return pages * 4096;
}

void measure_uniform(int rounds, std::vector<Goal>& goals) {
  const Text text = uniform_text();
  double resident = 0;
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int round = 0; round < rounds; ++round) {  // each in new memory: growing belongs to it
    const double before = resident_bytes();
    Way way = way_of("kstream", text, {});
    ours.push_back(seconds_of(way.count));
    resident = std::max(resident, resident_bytes() - before);
    way = way_of_std_map(text);
    theirs.push_back(seconds_of(way.count));
  }
  std::printf("uniform: kstream %.0f MB/s, unordered_map %.0f MB/s\n",
              text.megabytes() / median(ours), text.megabytes() / median(theirs));
  goals.push_back({"words-uniform-of-unordered-map", median(theirs) / median(ours), 4});
  goals.push_back({"words-uniform-resident-bytes-a-word", resident / kDistinct, 45, true});
}

// Batches of 1 MiB: what follows the counting of each, as a part of the counting.
double share_of_batch_end(const Text& text) {
  constexpr std::size_t kBlocksInBatch = kMiB / RecordBlock::kBytes;
  Counter counter({}, kSeed);
  double counting = 0;
  double ending = 0;
  for (std::size_t i = 0; i < text.blocks().size(); ++i) {
    counting += seconds_of([&] { counter.count(*text.blocks()[i]); });
    if (i % kBlocksInBatch == kBlocksInBatch - 1) {
      ending += seconds_of([&] {
        std::vector<WordCount> counts;
        counts.reserve(counter.tally().table().size());
        counter.tally().table().for_each([&](std::string_view word, std::uint64_t count) {
          counts.push_back({word, count});
        });
        KS_CHECK(!counts.empty());
        counter.clear();
      });
    }
  }
  return ending / counting;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: count_words ENGLISH_FILE [ROUNDS]\n");
    return 64;
  }
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 7;
  std::vector<Goal> goals;
  CountOptions bytes;
  bytes.decode.decoding = Decoding::kBytes;
  CountOptions scalar;
  scalar.kernel = kernels().back();
  {
    const Text text = zipf_text();
    std::vector<Way> ways;
    ways.push_back(way_of_std_map(text));
    ways.push_back(way_of_flat_map(text));
    ways.push_back(way_of("space", text, {}));
    ways.push_back(way_of("scalar kernel", text, scalar));
    ways.push_back(way_of("java", text, splitting(Split::kJava)));
    ways.push_back(way_of("whitespace", text, splitting(Split::kWhitespace)));
    ways.push_back(way_of("words", text, splitting(Split::kWords)));
    ways.push_back(way_of("bytes", text, bytes));
    const auto speed = measure("zipf", text, std::move(ways), rounds);
    goals.push_back({"words-zipf-of-unordered-map", speed[2] / speed[0], 10});
    goals.push_back({"words-zipf-of-flat-map", speed[2] / speed[1], 3});
    goals.push_back({"words-zipf-scalar-of-unordered-map", speed[3] / speed[0], 4});
    goals.push_back({"words-java-of-space", speed[4] / speed[2], 0.9});
    goals.push_back({"words-whitespace-of-space", speed[5] / speed[2], 0.8});
    goals.push_back({"words-words-of-space", speed[6] / speed[2], 0.5});
    goals.push_back({"words-utf8-of-bytes", speed[2] / speed[7], 0.9});
    std::vector<double> shares;
    for (int round = 0; round < rounds; ++round) {
      shares.push_back(share_of_batch_end(text));
    }
    goals.push_back({"words-batch-end-of-counting", median(shares), 0.15, true});
  }
  {
    const Text text = zipf_text("\xC3\xA9");
    std::vector<Way> ways;
    ways.push_back(way_of("utf8", text, {}));
    ways.push_back(way_of("bytes", text, bytes));
    measure("zipf, a tenth of the words beyond ASCII", text, std::move(ways), rounds);
  }
  {
    const Text text = lines_of(argv[1]);
    std::vector<Way> ways;
    ways.push_back(way_of_std_map(text));
    ways.push_back(way_of_flat_map(text));
    ways.push_back(way_of("space", text, {}));
    ways.push_back(way_of("whitespace", text, splitting(Split::kWhitespace)));
    ways.push_back(way_of("words", text, splitting(Split::kWords)));
    const auto speed = measure("English", text, std::move(ways), rounds);
    goals.push_back({"words-english-of-unordered-map", speed[2] / speed[0], 8});
  }
  measure_uniform(std::min(rounds, 3), goals);
  for (const Goal& goal : goals) {
    const bool is_ok = goal.is_at_most ? goal.value <= goal.limit : goal.value >= goal.limit;
    std::printf("%s %.2f %s%g %s\n", goal.name.c_str(), goal.value,
                goal.is_at_most ? "<=" : ">=", goal.limit, is_ok ? "ok" : "short");
  }
}
