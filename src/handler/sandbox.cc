#include "handler/sandbox.h"

#include <lua.hpp>
#include <string_view>

#include "handler/limits.h"
#include "handler/readable.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr const char* kFunctions[] = {"assert", "error",    "ipairs",   "next",
                                      "pairs",  "rawequal", "rawget",   "rawlen",
                                      "select", "tonumber", "tostring", "type"};

struct Library {
  const char* name;
  lua_CFunction open;
};
constexpr Library kLibraries[] = {{LUA_STRLIBNAME, luaopen_string},
                                  {LUA_TABLIBNAME, luaopen_table},
                                  {LUA_MATHLIBNAME, luaopen_math},
                                  {LUA_UTF8LIBNAME, luaopen_utf8}};

// What of these is left out: code as bytes, and what is another number each time.
struct LeftOut {
  const char* library;
  const char* function;
};
constexpr LeftOut kLeftOut[] = {
    {LUA_STRLIBNAME, "dump"}, {LUA_MATHLIBNAME, "random"}, {LUA_MATHLIBNAME, "randomseed"}};

// Lua's own, but that the end of the limits goes through it.
int guarded_pcall(lua_State* state) {
  luaL_checkany(state, 1);
  const int status = lua_pcall(state, lua_gettop(state) - 1, LUA_MULTRET, 0);
  if (limits_of(state).is_spent()) {
    return raise_spent(state, 1);
  }
  lua_pushboolean(state, static_cast<int>(status == LUA_OK));
  lua_insert(state, 1);
  return lua_gettop(state);
}

int print_to_log(lua_State* state) {
  const int values = lua_gettop(state);
  luaL_Buffer line;
  luaL_buffinit(state, &line);
  for (int i = 1; i <= values; ++i) {
    luaL_addstring(&line, i > 1 ? "\t" : "");
    luaL_tolstring(state, i, nullptr);
    luaL_addvalue(&line);
  }
  luaL_pushresult(&line);
  std::size_t length = 0;
  const char* const text = lua_tolstring(state, -1, &length);
  log::info("handler: {}", readable({text, length}));
  return 0;
}

int refuse_assignment(lua_State* state) {
  return luaL_error(state,
                    "global '%s' is assigned to: what a record leaves behind would be missing "
                    "after a restart. Make it local.",
                    luaL_tolstring(state, 2, nullptr));
}

}  // namespace

void push_globals(lua_State* state) {
  lua_newtable(state);
  luaL_requiref(state, LUA_GNAME, luaopen_base, 0);
  for (const char* name : kFunctions) {
    lua_getfield(state, -1, name);
    lua_setfield(state, -3, name);
  }
  lua_pop(state, 1);
  for (const auto& [name, open] : kLibraries) {
    luaL_requiref(state, name, open, 0);
    lua_setfield(state, -2, name);
  }
  for (const auto& [library, function] : kLeftOut) {
    lua_getfield(state, -1, library);
    lua_pushnil(state);
    lua_setfield(state, -2, function);
    lua_pop(state, 1);
  }
  lua_pushcfunction(state, guarded_pcall);
  lua_setfield(state, -2, "pcall");
  lua_pushcfunction(state, print_to_log);
  lua_setfield(state, -2, "print");
}

// All goes to another table, where it is found; what is assigned to is never found in the first.
void lock_globals(lua_State* state) {
  const int globals = lua_gettop(state);
  lua_newtable(state);  // a metatable
  lua_newtable(state);  // what the globals are
  lua_pushnil(state);
  while (lua_next(state, globals) != 0) {
    lua_pushvalue(state, -2);
    lua_insert(state, -2);
    lua_rawset(state, globals + 2);
    lua_pushvalue(state, -1);
    lua_pushnil(state);
    lua_rawset(state, globals);  // a field may be taken away while the table is walked
  }
  lua_setfield(state, globals + 1, "__index");
  lua_pushcfunction(state, refuse_assignment);
  lua_setfield(state, globals + 1, "__newindex");
  lua_setmetatable(state, globals);
}

}  // namespace kstream
