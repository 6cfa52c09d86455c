// What a Lua state may use: memory at any time, and work in one call.
//
// Contract: work is the virtual machine's instructions; memory that is asked for counts as work,
//   too, since a single call of string.rep writes megabytes. Once a call has no work left, large
//   blocks are refused, the next look at the instructions raises, and the sandbox's pcall raises
//   anew: a function cannot go on. Same record, same work: no clock is looked at.
// Limits: a library function that neither allocates nor returns, as string.find with several
//   `.-` in a long text, is not interrupted.
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>

struct lua_Debug;
struct lua_State;

namespace kstream {

inline constexpr std::size_t kHandlerBytesMax = std::size_t{64} * 1024 * 1024;
inline constexpr std::int64_t kHandlerInstructionsMax = 10'000'000;  // a tenth of a second, about
// Beyond that for each byte of the value: a text of any length may be walked byte by byte.
inline constexpr std::int64_t kHandlerInstructionsAByte = 100;

class Limits {
 public:
  Limits() = default;
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;

  // A state's allocator, with a Limits as `limits`.
  static void* allocate(void* limits, void* block, std::size_t before, std::size_t wanted);

  // From here on `state` has the work for a call about so many bytes.
  void begin(lua_State* state, std::size_t value_bytes);
  bool is_spent() const { return left_ <= 0; }
  std::size_t bytes() const { return bytes_; }

 private:
  static void count(lua_State* state, lua_Debug* where);

  std::size_t bytes_ = 0;
  std::int64_t left_ = kHandlerInstructionsMax;
};

// The limits of a state, which are also where its extra space points to.
Limits& limits_of(lua_State* state);

// Raises what a call without work left ends with, naming the line of the function at this level.
int raise_spent(lua_State* state, int level);

}  // namespace kstream
