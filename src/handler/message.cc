#include "handler/message.h"

#include <array>
#include <lua.hpp>
#include <string_view>

#include "base/check.h"
#include "model/record_headers.h"

namespace kstream {
namespace {

enum Field : int { kValue, kKey, kHeaders, kTopic, kPartition, kOffset, kTimestamp, kFields };
constexpr int kKept = kHeaders + 1;  // the fields up to here are kept once they are made
// What the object is to Lua.
struct Shown {
  MessageInHand* in_hand;
};

constexpr std::array<std::string_view, kFields> kNames = {
    "value", "key", "headers", "topic", "partition", "offset", "timestamp"};

void push_text(lua_State* state, std::string_view text) {
  lua_pushlstring(state, text.data(), text.size());
}

void push_field(lua_State* state, const std::optional<std::string_view>& text) {
  if (text) {
    push_text(state, *text);
  } else {
    lua_pushnil(state);
  }
}

void push_value(lua_State* state, const Decoded* value) {
  if (value == nullptr) {
    lua_pushnil(state);
  } else if (value->is_list) {
    lua_createtable(state, static_cast<int>(value->words.size()), 0);
    lua_Integer i = 0;
    for (const std::string_view word : value->words) {
      push_text(state, word);
      lua_rawseti(state, -2, ++i);
    }
  } else {
    push_text(state, value->text);
  }
}

void push_headers(lua_State* state, std::string_view headers) {
  lua_newtable(state);
  lua_Integer i = 0;
  while (const auto header = take_header(headers)) {
    lua_createtable(state, 0, 2);
    push_text(state, header->key);
    lua_setfield(state, -2, "key");
    push_field(state, header->value);
    lua_setfield(state, -2, "value");
    lua_rawseti(state, -2, ++i);
    push_text(state, header->key);
    push_field(state, header->value);
    lua_rawset(state, -3);
  }
}

void push_named(lua_State* state, const MessageInHand& message, int field) {
  switch (field) {
    case kValue:
      return push_value(state, message.value);
    case kKey:
      return push_field(state, message.record->key);
    case kHeaders:
      return push_headers(state, message.record->headers);
    case kTopic:
      return push_text(state, message.partition->topic);
    case kPartition:
      return lua_pushinteger(state, message.partition->partition);
    case kOffset:
      return lua_pushinteger(state, message.record->offset);
    case kTimestamp:
      return lua_pushinteger(state, message.record->timestamp_ms);
    default:
      KS_CHECK(false);
  }
}

int get_field(lua_State* state) {
  MessageInHand& message = *static_cast<Shown*>(lua_touserdata(state, 1))->in_hand;
  int field = kFields;
  if (lua_type(state, 2) == LUA_TSTRING) {
    std::size_t length = 0;
    const char* const text = lua_tolstring(state, 2, &length);
    const std::string_view name(text, length);
    for (field = 0; field < kFields && kNames[static_cast<std::size_t>(field)] != name;) {
      ++field;
    }
  }
  if (field == kFields) {
    return luaL_error(state,
                      "a message has no '%s'; it has topic, partition, offset, timestamp, key, "
                      "value and headers",
                      luaL_tolstring(state, 2, nullptr));
  }
  const unsigned bit = 1U << static_cast<unsigned>(field);
  if ((message.made & bit) != 0) {
    lua_getiuservalue(state, 1, field + 1);
    return 1;
  }
  push_named(state, message, field);
  if (field < kKept) {
    lua_pushvalue(state, -1);
    lua_setiuservalue(state, 1, field + 1);
    message.made |= bit;
  }
  return 1;
}

int refuse_change(lua_State* state) {
  return luaL_error(state, "a message cannot be changed");
}

}  // namespace

void push_message(lua_State* state, MessageInHand& in_hand) {
  static_cast<Shown*>(lua_newuserdatauv(state, sizeof(Shown), kKept))->in_hand = &in_hand;
  lua_newtable(state);
  lua_pushcfunction(state, get_field);
  lua_setfield(state, -2, "__index");
  lua_pushcfunction(state, refuse_change);
  lua_setfield(state, -2, "__newindex");
  lua_pushstring(state, "message");
  lua_setfield(state, -2, "__name");
  lua_setmetatable(state, -2);
}

void forget_fields(lua_State* state, MessageInHand& in_hand) {
  for (int field = 0; in_hand.made != 0; ++field, in_hand.made >>= 1U) {
    if ((in_hand.made & 1U) != 0) {
      lua_pushnil(state);
      lua_setiuservalue(state, -2, field + 1);
    }
  }
}

}  // namespace kstream
