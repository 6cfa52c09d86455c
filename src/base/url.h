// A URL with a user and a password in it, as it may be shown.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace kstream {

// Without user, password and parameters: "postgres://db:5432/counts". Pure.
// Errors: 64 for a text where it is not certain what of it is the password; it does not show it.
Result<std::string> url_without_secrets(std::string_view url);

}  // namespace kstream
