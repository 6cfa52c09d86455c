// Catch2 2.13 makes main() here; Catch2 3 brings it in a library of its own.
#if !__has_include(<catch2/catch_test_macros.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
