#include "config/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/parse.h"
#include "base/suggest.h"
#include "base/url.h"
#include "config/config_file.h"
#include "config/options.h"
#include "config/rules.h"

namespace kstream {
namespace {

struct CommandRow {
  Command command;
  unsigned use;
  const char* name;
  const char* help;
};
// The options are those of the wordcount that lost its state, so that it is not an action of
// state's.
constexpr const char* kAdopt = "adopt";
constexpr CommandRow kCommands[] = {
    {Command::kWordcount, kForWordcount, "wordcount",
     "count words interval by interval (the main job)"},
    {Command::kProduce, kForProduce, "produce", "send the lines of standard input to a topic"},
    {Command::kBroker, kForBroker, "broker",
     "run the embedded Kafka broker until SIGTERM; prints \"bootstrap HOST:PORT\""},
    {Command::kState, kForState, "state",
     "print or check a state directory, also while it is in use; or repair or convert one"},
    {Command::kAdopt, kForWordcount | kForAdopt, kAdopt,
     "state adopt: make a lost state directory anew; what else it takes is what wordcount takes"},
    {Command::kOffsets, kForOffsets, "offsets", "print the positions that a state directory holds"},
};

constexpr const char* kCommandLine = "command line";

struct Given {
  const Option* option;
  std::vector<std::string> values;
  std::string origin;  // "command line", "KSTREAM_TOPIC", the file's path
};

// One parse of one command line.
class Parser {
 public:
  Parser();
  Result<std::variant<Settings, Printout>> parse(
      const std::vector<std::string>& words, const std::map<std::string, std::string>& environment);

 private:
  struct Sub {
    const CommandRow* row;
    CLI::App* app;
    std::vector<std::pair<const Option*, CLI::Option*>> options;
    CLI::Option* config = nullptr;
    CLI::Option* print_config = nullptr;
  };

  void add_command(const CommandRow& row);
  std::optional<Error> unknown_words() const;
  Result<std::vector<Given>> gather(const Sub& sub,
                                    const std::map<std::string, std::string>& environment) const;
  static Status apply(const Given& given, Settings& settings);
  static std::string effective_config(const Sub& sub, const std::vector<Given>& given);
  static Status check_file_keys(const Sub& sub, const FileValues& values, const std::string& path);

  CLI::App app_{"Counts the words of Kafka topics, interval by interval, exactly."};
  std::vector<Sub> subs_;
};

std::string exit_code_text() {
  std::string text = "Exit codes:\n";
  for (const ExitCodeRow& row : exit_codes()) {
    text += fmt::format("  {:<4} {}\n", static_cast<int>(row.code), row.meaning);
  }
  return text;
}

std::string environment_name(std::string_view key) {
  std::string name = "KSTREAM_";
  for (const char c : key) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

// KEY=VALUE without the value, if the key is that of a secret; a URL of a database without its own.
std::string masked(const std::string& text) {
  if (text.starts_with("postgres")) {
    const Result<std::string> shown = url_without_secrets(text);
    return shown.ok() ? shown.value() : text.find("://") == text.npos ? text : "(hidden)";
  }
  const std::string name = text.substr(0, text.find('='));
  for (const char* secret : {"password", "secret", "pem", "oauthbearer.config"}) {
    if (name.size() < text.size() && name.find(secret) != std::string::npos) {
      return name + "=(hidden)";
    }
  }
  return text;
}

std::string usage_hint() {
  return "See kstream --help.";
}

Parser::Parser() {
  app_.name("kstream");
  app_.set_version_flag("--version,-V", "kstream " KSTREAM_VERSION);
  app_.set_help_flag("-h,--help", "print this help and exit");
  app_.allow_extras();
  app_.require_subcommand(0, 1);
  app_.footer("kstream COMMAND --help tells the options of a command.\n\n" + exit_code_text());
  subs_.reserve(std::size(kCommands));
  for (const CommandRow& row : kCommands) {
    add_command(row);
  }
}

void Parser::add_command(const CommandRow& row) {
  Sub sub{&row, app_.add_subcommand(row.name, row.help), {}, nullptr, nullptr};
  sub.app->set_help_flag("-h,--help", "print this help and exit");
  sub.app->allow_extras();
  sub.app->footer(
      "Every option is also an environment variable (--from: KSTREAM_FROM) and a key of "
      "the --config file.\n\n" +
      exit_code_text());
  for (const Option& option : options()) {
    if ((option.uses & row.use) == 0) {
      continue;
    }
    std::string names = fmt::format("{}{}", option.is_positional ? "" : "--", option.key);
    if (!option.others.empty()) {
      names = fmt::format("{},{}", option.others, names);
    }
    if (option.value.empty()) {
      sub.options.emplace_back(&option,
                               sub.app->add_flag(names)->description(std::string(option.help)));
      continue;
    }
    CLI::Option* made = sub.app->add_option(names)->description(std::string(option.help));
    made->type_name(std::string(option.value));
    made->expected(1);
    made->required(option.is_positional);
    made->multi_option_policy(option.is_repeatable ? CLI::MultiOptionPolicy::TakeAll
                                                   : CLI::MultiOptionPolicy::TakeLast);
    made->default_str(std::string(option.fallback));
    made->delimiter('\0');
    sub.options.emplace_back(&option, made);
  }
  sub.config = sub.app->add_option("--config")
                   ->description("JSON file with options")
                   ->type_name("FILE")
                   ->expected(1);
  sub.print_config =
      sub.app->add_flag("--print-config")->description("print the effective options and exit");
  subs_.push_back(std::move(sub));
}

Result<std::variant<Settings, Printout>> Parser::parse(
    const std::vector<std::string>& words, const std::map<std::string, std::string>& environment) {
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    if (words.size() > 1 && words[0] == "state" && words[1] == kAdopt) {
      reversed.pop_back();
    }
    app_.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app_.get_subcommands();
    return std::variant<Settings, Printout>(
        Printout{chosen.empty() ? app_.help() : chosen[0]->help("kstream")});
  } catch (const CLI::CallForVersion& version) {
    return std::variant<Settings, Printout>(Printout{std::string(version.what()) + "\n"});
  } catch (const CLI::ParseError& error) {
    return Error{ExitCode::kUsage, fmt::format("{}. {}", error.what(), usage_hint())};
  }
  if (auto error = unknown_words()) {
    return *error;
  }
  const auto sub = std::find_if(subs_.begin(), subs_.end(),
                                [](const Sub& candidate) { return candidate.app->parsed(); });
  if (sub == subs_.end()) {
    std::vector<std::string_view> names;
    for (const CommandRow& row : kCommands) {
      names.emplace_back(row.name);
    }
    return Error{ExitCode::kUsage,
                 fmt::format("no command: one of {}. {}", fmt::join(names, ", "), usage_hint())};
  }
  KS_TRY_VALUE(given, gather(*sub, environment));
  Settings settings;
  settings.command = sub->row->command;
  for (const Given& one : given) {
    KS_TRY(apply(one, settings));
  }
  if (const Status completed = complete(settings); !completed.ok()) {
    return Error{completed.error().code,
                 fmt::format("{}. {}", completed.error().text, usage_hint())};
  }
  if (sub->print_config->count() > 0) {
    return std::variant<Settings, Printout>(Printout{effective_config(*sub, given)});
  }
  return std::variant<Settings, Printout>(std::move(settings));
}

Status Parser::apply(const Given& given, Settings& settings) {
  for (const std::string& value : given.values) {
    if (const Status applied = given.option->apply(settings, value); !applied.ok()) {
      return Error{
          ExitCode::kUsage,
          fmt::format("{}{}{}: {}. {}", given.option->is_positional ? "" : "--", given.option->key,
                      given.origin == kCommandLine ? "" : fmt::format(" ({})", given.origin),
                      applied.error().text, usage_hint())};
    }
  }
  return {};
}

std::string Parser::effective_config(const Sub& sub, const std::vector<Given>& given) {
  nlohmann::ordered_json shown = nlohmann::ordered_json::object();
  for (const Given& one : given) {
    std::vector<std::string> values;
    values.reserve(one.values.size());
    for (const std::string& value : one.values) {
      values.push_back(masked(value));
    }
    shown[std::string(one.option->key)] = {{"value", values}, {"origin", one.origin}};
  }
  for (const auto& [option, parsed] : sub.options) {
    const std::string key(option->key);
    if (!shown.contains(key) && !option->fallback.empty()) {
      shown[key] = {{"value", {std::string(option->fallback)}}, {"origin", "default"}};
    }
  }
  return shown.dump(2) + "\n";
}

std::optional<Error> Parser::unknown_words() const {
  const Sub* sub = nullptr;
  for (const Sub& candidate : subs_) {
    sub = candidate.app->parsed() ? &candidate : sub;
  }
  const std::vector<std::string> extras = app_.remaining(true);
  if (extras.empty()) {
    return std::nullopt;
  }
  const std::string word = masked(extras[0]).substr(0, extras[0].find('='));
  std::vector<std::string> known;
  if (sub == nullptr) {
    for (const CommandRow& row : kCommands) {
      known.emplace_back(row.name);
    }
  } else {
    for (const CLI::Option* option : sub->app->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        known.push_back("--" + name);
      }
    }
  }
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string near = nearest(word, views);
  const bool is_option = word.starts_with('-');
  return Error{ExitCode::kUsage,
               fmt::format("unknown {} '{}'{} See kstream{}{} --help.",
                           is_option ? "option" : (sub == nullptr ? "command" : "word"), word,
                           near.empty() ? "." : fmt::format("; did you mean '{}'?", near),
                           sub == nullptr ? "" : " ", sub == nullptr ? "" : sub->row->name)};
}

Result<std::vector<Given>> Parser::gather(
    const Sub& sub, const std::map<std::string, std::string>& environment) const {
  std::string path;
  if (sub.config->count() > 0) {
    path = sub.config->results().back();
  } else if (const auto set = environment.find("KSTREAM_CONFIG"); set != environment.end()) {
    path = set->second;
  }
  FileValues file;
  if (!path.empty()) {
    KS_TRY_VALUE(values, read_config_file(path));
    KS_TRY(check_file_keys(sub, values, path));
    file = std::move(values);
  }
  std::vector<Given> given;
  for (const auto& [option, parsed] : sub.options) {
    const std::string variable = environment_name(option->key);
    if (parsed->count() > 0) {
      given.push_back({option,
                       option->value.empty() ? std::vector<std::string>{"true"} : parsed->results(),
                       kCommandLine});
      if (!option->is_repeatable) {
        given.back().values = {given.back().values.back()};
      }
    } else if (const auto set = environment.find(variable); set != environment.end()) {
      std::vector<std::string> values = {set->second};
      if (option->is_repeatable) {
        values.clear();
        for (const std::string_view part : split_list(set->second, ' ')) {
          values.emplace_back(part);
        }
      }
      given.push_back({option, std::move(values), variable});
    } else if (const auto entry = file.find(std::string(option->key)); entry != file.end()) {
      given.push_back({option, entry->second, path});
    }
  }
  return given;
}

Status Parser::check_file_keys(const Sub& sub, const FileValues& values, const std::string& path) {
  for (const auto& [key, texts] : values) {
    const auto known = std::find_if(
        sub.options.begin(), sub.options.end(),
        [name = std::string_view(key)](const auto& entry) { return entry.first->key == name; });
    if (known == sub.options.end()) {
      std::vector<std::string_view> names;
      names.reserve(sub.options.size());
      for (const auto& [option, parsed] : sub.options) {
        names.push_back(option->key);
      }
      const std::string near = nearest(key, names);
      return Error{
          ExitCode::kConfig,
          fmt::format("{}: '{}' is not an option of kstream {}{}", path, key, sub.row->name,
                      near.empty() ? "" : fmt::format("; did you mean '{}'?", near))};
    }
    if (!known->first->is_repeatable && texts.size() != 1) {
      return Error{ExitCode::kConfig,
                   fmt::format("{}: '{}' has {} values, it takes one", path, key, texts.size())};
    }
  }
  return {};
}

}  // namespace

Result<std::variant<Settings, Printout>> parse_command_line(
    const std::vector<std::string>& words, const std::map<std::string, std::string>& environment) {
  return Parser().parse(words, environment);
}

}  // namespace kstream
