// What a handler's file finds: Lua's string, table, math and utf8, and the functions that compute.
//
// Contract: nothing of it reaches files, the process, the clock, chance or other code: io, os,
//   package, require, load, dofile, debug, math.random are not there. Nor is what would run outside
//   the limits or outlast a record: coroutines, metatables, xpcall, collectgarbage, rawset, _G.
//   print writes to the log. pcall does not catch the end of the limits.
// Thread: one at a time.
#pragma once

struct lua_State;

namespace kstream {

// Pushes the table that a file has as its globals. May raise.
void push_globals(lua_State* state);

// From here on the table on top of the stack, which stays there, can be read but not assigned to:
// a handler that forgets a `local` is told so, instead of counting otherwise after a restart. May
// raise.
void lock_globals(lua_State* state);

}  // namespace kstream
