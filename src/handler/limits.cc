#include "handler/limits.h"

#include <cstdlib>
#include <lua.hpp>

namespace kstream {
namespace {

// Rare enough to cost nothing, often enough that what is allocated between is noticed.
constexpr int kInstructionsAtOnce = 1000;
// As long as an instruction takes, so many bytes are got and written.
constexpr std::size_t kBytesAnInstruction = 64;
// Smaller blocks are had without work left, too: for the error that says so.
constexpr std::size_t kLargeBlock = std::size_t{64} * 1024;

}  // namespace

Limits& limits_of(lua_State* state) {
  void* limits = nullptr;
  lua_getallocf(state, &limits);
  return *static_cast<Limits*>(limits);
}

int raise_spent(lua_State* state, int level) {
  luaL_where(state, level);
  lua_pushfstring(state, "it did more work than %d million instructions",
                  static_cast<int>(kHandlerInstructionsMax / 1'000'000));
  lua_concat(state, 2);
  return lua_error(state);
}

void* Limits::allocate(void* limits, void* block, std::size_t before, std::size_t wanted) {
  auto& self = *static_cast<Limits*>(limits);
  const std::size_t held = block == nullptr ? 0 : before;  // else `before` is a kind of object
  if (wanted == 0) {
    std::free(block);
    self.bytes_ -= held;
    return nullptr;
  }
  if (wanted > held) {  // a block that shrinks is never refused
    const std::size_t more = wanted - held;
    self.left_ -= static_cast<std::int64_t>(more / kBytesAnInstruction);
    if ((self.is_spent() && more > kLargeBlock) || more > kHandlerBytesMax - self.bytes_) {
      return nullptr;
    }
  }
  void* const moved = std::realloc(block, wanted);
  if (moved != nullptr) {
    self.bytes_ = self.bytes_ - held + wanted;
  }
  return moved;
}

void Limits::begin(lua_State* state, std::size_t value_bytes) {
  left_ =
      kHandlerInstructionsMax + static_cast<std::int64_t>(value_bytes) * kHandlerInstructionsAByte;
  lua_sethook(state, count, LUA_MASKCOUNT, kInstructionsAtOnce);
}

void Limits::count(lua_State* state, lua_Debug*) {
  Limits& self = limits_of(state);
  self.left_ -= kInstructionsAtOnce;
  if (self.is_spent()) {
    raise_spent(state, 0);  // a hook runs as the function that it interrupts
  }
}

}  // namespace kstream
