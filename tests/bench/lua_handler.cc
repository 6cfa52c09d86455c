// How many records a second go through a handler, one thread: lua_handler [FILE]...
//
// Without a file the handler returns the value. Records of 100 bytes.
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include "handler/handler.h"

int main(int argc, char** argv) {
  using namespace kstream;
  std::vector<HandlerFile> files;
  for (int i = 1; i < argc; ++i) {
    std::ifstream in(argv[i]);
    files.push_back({argv[i], {std::istreambuf_iterator<char>(in), {}}});
  }
  if (files.empty()) {
    files.push_back({"returns the value", "function handle(m) return m.value end"});
  }
  constexpr int kRecords = 3'000'000;
  const TopicPartition partition{"lines", 0};
  std::string value;
  while (value.size() < 100) {
    value += fmt::format("w{} ", value.size());
  }
  value.resize(100);
  for (const HandlerFile& file : files) {
    auto handler = Handler::create(file);
    if (!handler.ok()) {
      fmt::print(stderr, "{}\n", handler.error().text);
      return 1;
    }
    std::size_t bytes = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kRecords; ++i) {
      Decoded decoded;
      decoded.text = value;
      if (handler.value()->has_decode()) {
        decoded = handler.value()->decode(value);
      }
      if (handler.value()->has_handle()) {
        const RecordView record{i, 1, std::nullopt, value};
        if (const auto handled = handler.value()->handle(partition, record, &decoded)) {
          decoded = *handled;
        }
      }
      if (!decoded.problem.empty()) {
        fmt::print(stderr, "{}: {}\n", file.name, decoded.problem);
        return 1;
      }
      bytes += decoded.text.size();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    fmt::print("{}: {:.2f} million records/s, {:.0f} MB of text/s\n", file.name,
               kRecords / took.count() / 1e6, static_cast<double>(bytes) / took.count() / 1e6);
  }
}
