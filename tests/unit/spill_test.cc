#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "catch.h"
#include "counted_words.h"
#include "pipeline/counter.h"
#include "pipeline/merged_counts.h"
#include "spill/run.h"
#include "spill/run_merge.h"
#include "spill/scratch_space.h"
#include "spill/word_sorter.h"

namespace kstream {
namespace {

using Words = std::vector<std::pair<std::string, std::uint64_t>>;

constexpr std::uint64_t kMiB = 1024 * 1024;

std::string directory() {
  return std::filesystem::temp_directory_path().string();
}

// By another way than the code's: as tuples of the standard library.
Words sorted(Words words, Order order) {
  std::sort(words.begin(), words.end(), [&](const auto& a, const auto& b) {
    if (order == Order::kCount && a.second != b.second) {
      return a.second > b.second;
    }
    return std::lexicographical_compare(
        a.first.begin(), a.first.end(), b.first.begin(), b.first.end(), [](char x, char y) {
          return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
        });
  });
  return words;
}

// Bytes of all kinds, many with a common beginning, NULs, the empty word, some of a MiB.
Words odd_words(std::mt19937& random, std::size_t size) {
  std::map<std::string, std::uint64_t> words{{"", random() % 9 + 1}};
  for (std::size_t i = 0; i < size; ++i) {
    std::string word(random() % 12, random() % 2 == 0 ? 'a' : '\0');
    for (std::size_t more = random() % 6; more > 0; --more) {
      word += static_cast<char>(random());
    }
    if (i % 10'000 == 1) {
      word.resize(kMiB, 'x');
    }
    words[word] = random() % 20 == 0 ? std::uint64_t{random()} << 32 : random() % 9 + 1;
  }
  return {words.begin(), words.end()};
}

Words all_of(WordSorter& sorter) {
  Words words;
  while (true) {
    const auto next = sorter.next();
    REQUIRE(next.ok());
    if (next.value() == nullptr) {
      return words;
    }
    words.emplace_back(next.value()->word, next.value()->count);
  }
}

Words all_of(const Run& run) {
  Words words;
  RunReader reader(run);
  while (true) {
    const auto has_word = reader.next();
    REQUIRE(has_word.ok());
    if (!has_word.value()) {
      return words;
    }
    words.emplace_back(reader.word().word, reader.word().count);
  }
}

Run run_of(const Words& words, ScratchSpace& space) {
  std::vector<PlacedWord> placed_words;
  for (const auto& [word, count] : words) {
    placed_words.push_back(placed({word, count}, Order::kWord));
  }
  auto run = write_run(placed_words, space);
  REQUIRE(run.ok());
  return std::move(run).value();
}

RecordBlock& fill(RecordBlock& block, std::size_t begin, std::size_t end) {
  block.start({"lines", 0});
  for (std::size_t i = begin; i < end; ++i) {
    const std::string text = "w" + std::to_string(i) + " word-of-sixteen-" +
                             std::to_string(i % 977) + " some-words-are-longer-" +
                             std::to_string(i % 1009);
    REQUIRE(block.append({static_cast<Offset>(i), 0, std::nullopt, text}));
  }
  return block;
}

}  // namespace

TEST_CASE("spill: a run gives the words back in their order, and then its room") {
  std::mt19937 random(1);
  ScratchSpace space(directory(), 64 * kMiB);
  const Words words = odd_words(random, 30'000);
  {
    const Run run = run_of(words, space);
    CHECK(run.words() == words.size());
    CHECK(space.used() > 3 * kMiB);
    CHECK(all_of(run) == sorted(words, Order::kWord));
    CHECK(all_of(run).size() == words.size());  // as often as wanted
  }
  CHECK(space.used() == 0);
}

TEST_CASE("spill: runs become one, a word of several once with its sum, for any number of runs") {
  for (const std::size_t runs_wanted : {1U, 2U, 3U, 64U, 65U, 130U, 200U}) {
    INFO(runs_wanted << " runs");
    std::mt19937 random(2);
    ScratchSpace space(directory(), 1024 * kMiB);
    std::map<std::string, std::uint64_t> sums;
    std::vector<Run> runs;
    for (std::size_t i = 0; i < runs_wanted; ++i) {
      const Words words = odd_words(random, random() % 300);
      for (const auto& [word, count] : words) {
        sums[word] += count;
      }
      runs.push_back(run_of(words, space));
    }
    REQUIRE(reduce(runs, 1, Order::kWord, space).ok());
    REQUIRE(runs.size() == 1);
    CHECK(all_of(runs[0]) == sorted({sums.begin(), sums.end()}, Order::kWord));
    runs.clear();
    CHECK(space.used() == 0);
  }
}

TEST_CASE("spill: sorted words are the first of all in order, in memory and from a disk") {
  std::mt19937 random(3);
  ScratchSpace space(directory(), 512 * kMiB);
  const Words words = odd_words(random, 20'000);
  for (const Order order : {Order::kCount, Order::kWord}) {
    const Words want = sorted(words, order);
    for (const bool are_kept : {true, false}) {
      const ListedWords listed(words, are_kept);
      for (const std::size_t memory :
           {std::size_t{1}, std::size_t{200'000}, std::size_t{1} << 26}) {
        for (const std::optional<std::size_t> top : {std::optional<std::size_t>(),
                                                     {0},
                                                     {1},
                                                     {10},
                                                     {4000},
                                                     {words.size() - 1},
                                                     {words.size()},
                                                     {words.size() + 1}}) {
          INFO("order " << static_cast<int>(order) << " kept " << are_kept << " memory " << memory
                        << " top " << top.value_or(99'999));
          auto sorter = sort_words(listed, order, top, memory, space);
          REQUIRE(sorter.ok());
          CHECK((space.used() > 0) == (memory < 1'000'000 && top.value_or(99'999) > 2048));
          const auto shown =
              static_cast<std::ptrdiff_t>(std::min(top.value_or(words.size()), words.size()));
          // Not CHECK(a == b): what it would print.
          CHECK((all_of(sorter.value()) == Words(want.begin(), want.begin() + shown)));
        }
      }
    }
  }
  CHECK(space.used() == 0);
}

TEST_CASE("spill: more than the limit ends with 74 and both numbers; 0 allows nothing") {
  std::mt19937 random(4);
  const Words words = odd_words(random, 30'000);
  std::vector<PlacedWord> placed_words;
  for (const auto& [word, count] : words) {
    placed_words.push_back(placed({word, count}, Order::kWord));
  }
  for (const std::uint64_t limit : {0 * kMiB, 2 * kMiB}) {
    ScratchSpace space(directory(), limit);
    const auto run = write_run(placed_words, space);
    REQUIRE_FALSE(run.ok());
    CHECK(run.error().code == ExitCode::kIoError);
    CHECK_FALSE(run.error().is_transient);
    CHECK(run.error().text.find(limit == 0 ? "the 0 MiB" : "the 2 MiB") != std::string::npos);
    CHECK(space.used() == 0);
  }
  ScratchSpace nowhere("/nonexistent/directory", kMiB);
  const auto run = write_run(placed_words, nowhere);
  REQUIRE_FALSE(run.ok());
  CHECK(run.error().code == ExitCode::kIoError);
  CHECK(run.error().text.find("/nonexistent/directory") != std::string::npos);
}

TEST_CASE("counters: the same counts with little memory as with much, for any number of counters") {
  for (const std::size_t size : {1U, 2U, 3U}) {
    for (const std::uint64_t memory : {kMiB / 4, kMiB, 8 * kMiB, 512 * kMiB}) {
      INFO(size << " counters of " << memory << " bytes");
      ScratchSpace space(directory(), 512 * kMiB);
      CountOptions options;
      options.memory_bytes = memory;
      options.space = &space;
      std::vector<Counter> counters;
      for (std::size_t i = 0; i < size; ++i) {
        counters.emplace_back(options, 7);
      }
      WordTable expected(7);
      for (int batch = 0; batch < 2; ++batch) {
        expected.clear();
        RecordBlock block;
        for (std::size_t i = 0; i < 30; ++i) {
          Counter& counter = counters[i % size];
          counter.count(fill(block, i * 1500, i * 1500 + 3000));
          REQUIRE(counter.status().ok());
          CHECK(counter.tally().table().bytes() <= std::max(memory, kMiB));
          for (std::size_t j = i * 1500; j < i * 1500 + 3000; ++j) {
            expected.add("w" + std::to_string(j));
            expected.add("word-of-sixteen-" + std::to_string(j % 977));
            expected.add("some-words-are-longer-" + std::to_string(j % 1009));
          }
        }
        {
          const auto merged = MergedCounts::merge(counters);
          REQUIRE(merged.ok());
          CHECK((map_of(merged.value()) == map_of(expected)));
          CHECK(merged.value().totals().words == 30 * 9000);
          CHECK(merged.value().are_kept() == (memory >= 8 * kMiB));
          CHECK((space.used() > 0) != merged.value().are_kept());
        }
        for (Counter& counter : counters) {
          counter.clear();
        }
        CHECK(space.used() == 0);
      }
    }
  }
}

TEST_CASE("counters: no room on the disk is the batch's failure, and the next batch is whole") {
  ScratchSpace space(directory(), 0);
  CountOptions options;
  options.memory_bytes = kMiB;
  options.space = &space;
  std::vector<Counter> counters;
  counters.emplace_back(options, 7);
  RecordBlock block;
  for (std::size_t i = 0; i < 30; ++i) {
    counters[0].count(fill(block, i * 3000, i * 3000 + 3000));
  }
  REQUIRE_FALSE(counters[0].status().ok());
  CHECK(counters[0].status().error().code == ExitCode::kIoError);
  counters[0].clear();
  counters[0].count(fill(block, 0, 100));
  const auto merged = MergedCounts::merge(counters);
  REQUIRE(merged.ok());
  CHECK(merged.value().size() == 300);
}

}  // namespace kstream
