#include "base/url.h"

namespace kstream {

Result<std::string> url_without_secrets(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == url.npos ? url.size() : scheme + 3;
  std::string_view rest = url.substr(begin);
  const std::size_t at = rest.rfind('@');
  if (rest.empty() || (at != rest.npos && at != rest.find_first_of("@/?#"))) {
    return Error{ExitCode::kUsage,
                 "not a URL, as in postgres://USER@HOST:5432/DATABASE; in user, password and "
                 "parameters write %40 for @, %2F for /, %3F for ? and %23 for #"};
  }
  rest.remove_prefix(at == rest.npos ? 0 : at + 1);
  return std::string(url.substr(0, begin)).append(rest.substr(0, rest.find('?')));
}

}  // namespace kstream
