#include "handler/readable.h"

#include <algorithm>

#include "words/decoder.h"

namespace kstream {
namespace {

constexpr std::size_t kBytesMax = 1000;

bool is_control(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
}

}  // namespace

std::string readable(std::string_view text) {
  std::string line(text.substr(0, kBytesMax));
  std::replace_if(line.begin(), line.end(), is_control, '?');
  Decoder decoder({});
  return std::string(decoder.decode(line).text) + (text.size() > kBytesMax ? "..." : "");
}

}  // namespace kstream
