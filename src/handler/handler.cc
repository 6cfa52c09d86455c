#include "handler/handler.h"

#include <fmt/format.h>

#include <lua.hpp>
#include <utility>

#include "base/check.h"
#include "base/parse.h"
#include "handler/readable.h"
#include "handler/sandbox.h"

namespace kstream {
namespace {

// Where the functions' answers stay on the stack, so that they are not collected.
constexpr int kDecodedAt = 1;
constexpr int kHandledAt = 2;

constexpr std::int64_t kMillions = kHandlerInstructionsMax / 1'000'000;
constexpr std::size_t kMiB = std::size_t{1024} * 1024;

// What run_file gets and gives.
struct Loading {
  const HandlerFile& file;
  MessageInHand& message;
  int message_reference;
  int decode;
  int handle;
};

struct Bytes {
  int function;
  std::string_view bytes;
};

std::string_view text_at(lua_State* state, int index) {
  KS_CHECK(lua_type(state, index) == LUA_TSTRING);  // a number would be changed in its place
  std::size_t length = 0;
  const char* const text = lua_tolstring(state, index, &length);
  return {text, length};
}

// Takes a global function off the file's globals.
int take_function(lua_State* state, const char* name) {
  const int type = lua_getfield(state, -1, name);
  if (type != LUA_TFUNCTION && type != LUA_TNIL) {
    luaL_error(state, "'%s' is a %s, not a function", name, lua_typename(state, type));
  }
  return type == LUA_TNIL ? (lua_pop(state, 1), 0) : luaL_ref(state, LUA_REGISTRYINDEX);
}

}  // namespace

Handler::Handler() : state_(lua_newstate(Limits::allocate, &limits_)) {
  KS_CHECK(state_ != nullptr);
}

Handler::~Handler() {
  lua_close(state_);
}

Result<std::unique_ptr<Handler>> Handler::create(const HandlerFile& file) {
  std::unique_ptr<Handler> handler(new Handler());
  KS_TRY(handler->load(file));
  return handler;
}

Status Handler::load(const HandlerFile& file) {
  Loading loading{file, message_, kNone, kNone, kNone};
  lua_pushcfunction(state_, run_file);
  lua_pushlightuserdata(state_, &loading);
  limits_.begin(state_, file.code.size());
  if (const int status = lua_pcall(state_, 1, 0, 0); status != LUA_OK) {
    return Error{ExitCode::kConfig,
                 fmt::format("handler '{}': {}. Nothing was started. Mend the file.", file.name,
                             take_error(status))};
  }
  message_reference_ = loading.message_reference;
  decode_ = loading.decode;
  handle_ = loading.handle;
  return {};
}

int Handler::run_file(lua_State* state) {
  auto& loading = *static_cast<Loading*>(lua_touserdata(state, 1));
  push_message(state, loading.message);
  loading.message_reference = luaL_ref(state, LUA_REGISTRYINDEX);
  push_globals(state);
  const std::string_view code = without_byte_order_mark(loading.file.code);
  lua_pushfstring(state, "@%s", loading.file.name.c_str());
  if (luaL_loadbufferx(state, code.data(), code.size(), lua_tostring(state, -1), "t") != LUA_OK) {
    return lua_error(state);
  }
  lua_pushvalue(state, -3);
  lua_setupvalue(state, -2, 1);  // _ENV
  lua_call(state, 0, 0);
  lua_pop(state, 1);
  loading.decode = take_function(state, "decode");
  loading.handle = take_function(state, "handle");
  if (loading.decode == kNone && loading.handle == kNone) {
    return luaL_error(state,
                      "it defines neither decode nor handle: one of these is to be a function, "
                      "and not a local one");
  }
  lock_globals(state);
  return 0;
}

Decoded Handler::decode(std::string_view bytes) {
  KS_CHECK(has_decode());
  const Bytes call{decode_, bytes};
  lua_settop(state_, 0);
  lua_pushcfunction(state_, call_decode);
  lua_pushlightuserdata(state_, const_cast<Bytes*>(&call));
  limits_.begin(state_, bytes.size());
  if (const int status = lua_pcall(state_, 1, 1, 0); status != LUA_OK) {
    return problem("decode", take_error(status));
  }
  if (lua_type(state_, kDecodedAt) != LUA_TSTRING) {
    return problem(
        "decode", fmt::format("it returned a {}, not a string", luaL_typename(state_, kDecodedAt)));
  }
  Decoded decoded;
  decoded.text = text_at(state_, kDecodedAt);
  return decoded;
}

// The bytes are pushed in here, where want of memory is an error like others.
int Handler::call_decode(lua_State* state) {
  const auto& call = *static_cast<const Bytes*>(lua_touserdata(state, 1));
  lua_rawgeti(state, LUA_REGISTRYINDEX, call.function);
  lua_pushlstring(state, call.bytes.data(), call.bytes.size());
  lua_call(state, 1, 1);
  return 1;
}

std::optional<Decoded> Handler::handle(const TopicPartition& partition, const RecordView& record,
                                       const Decoded* value) {
  KS_CHECK(has_handle());
  lua_settop(state_, kDecodedAt);
  lua_rawgeti(state_, LUA_REGISTRYINDEX, handle_);
  lua_rawgeti(state_, LUA_REGISTRYINDEX, message_reference_);
  forget_fields(state_, message_);
  message_ = {&partition, &record, value};
  limits_.begin(state_, record.value ? record.value->size() : 0);
  if (const int status = lua_pcall(state_, 1, 1, 0); status != LUA_OK) {
    return problem("handle", take_error(status));
  }
  if (lua_isnil(state_, kHandledAt)) {
    return std::nullopt;
  }
  return text_or_words();
}

Decoded Handler::text_or_words() {
  Decoded decoded;
  if (lua_type(state_, kHandledAt) == LUA_TSTRING) {
    decoded.text = text_at(state_, kHandledAt);
    return decoded;
  }
  if (lua_type(state_, kHandledAt) != LUA_TTABLE) {
    return problem("handle", fmt::format("it returned a {}, not a string, a list of strings or nil",
                                         luaL_typename(state_, kHandledAt)));
  }
  words_.clear();
  const lua_Unsigned words = lua_rawlen(state_, kHandledAt);
  for (lua_Unsigned i = 1; i <= words; ++i) {
    if (lua_rawgeti(state_, kHandledAt, static_cast<lua_Integer>(i)) != LUA_TSTRING) {
      return problem("handle", fmt::format("word {} of the list that it returned is a {}, not a "
                                           "string",
                                           i, luaL_typename(state_, -1)));
    }
    words_.push_back(text_at(state_, -1));
    lua_pop(state_, 1);
  }
  decoded.words = words_;
  decoded.is_list = true;
  return decoded;
}

// With the error on top of the stack, which is empty afterwards.
std::string Handler::take_error(int status) {
  std::string what;
  if (status != LUA_ERRMEM) {
    what = lua_type(state_, -1) == LUA_TSTRING
               ? readable(text_at(state_, -1))
               : fmt::format("it raised a {}", luaL_typename(state_, -1));
  } else if (limits_.is_spent()) {
    what = fmt::format("it did more work than {} million instructions", kMillions);
  } else {
    what = fmt::format("it needs more than {} MiB of memory", kHandlerBytesMax / kMiB);
  }
  lua_settop(state_, 0);
  if (limits_.bytes() > kHandlerBytesMax / 2) {
    lua_gc(state_, LUA_GCCOLLECT);  // the next record is to find room
  }
  return what;
}

Decoded Handler::problem(const char* function, const std::string& what) {
  problem_ = fmt::format("made {} fail: {}", function, what);
  Decoded nothing;
  nothing.is_list = true;
  nothing.problem = problem_;
  return nothing;
}

}  // namespace kstream
