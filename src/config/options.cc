#include "config/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/parse.h"
#include "base/suggest.h"
#include "config/places.h"
#include "offsets/zookeeper_layout.h"

namespace kstream {
namespace {

constexpr std::int64_t kCountMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kReadersMax = 256;
constexpr std::int64_t kWordCharactersMax = std::int64_t{16} * 1024 * 1024;  // a record's limit
constexpr std::int64_t kRateMax = 1'000'000'000;
constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::int64_t kWalBytesMin = 16 * kMiB;
constexpr std::int64_t kMemoryBytesMin = 16 * kMiB;

Error bad_value(std::string text) {
  return Error{ExitCode::kUsage, std::move(text)};
}

// One of a few words, or an error that lists them.
template <class T, std::size_t N>
Result<T> choose(std::string_view text, const Named<T> (&words)[N]) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : words) {
    if (text == name) {
      return value;
    }
    names.push_back(name);
  }
  const std::string near = nearest(text, names);
  return bad_value(fmt::format("'{}' is not one of {}{}", text, fmt::join(names, ", "),
                               near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

Result<bool> boolean(std::string_view text) {
  constexpr Named<bool> kWords[] = {{"true", true}, {"false", false}, {"1", true},
                                    {"0", false},   {"yes", true},    {"no", false}};
  return choose(text, kWords);
}

constexpr Named<Mode> kModes[] = {{"direct", Mode::kDirect}, {"receiver", Mode::kReceiver}};
constexpr Named<bool> kOnDataLoss[] = {{"fail", false}, {"skip", true}};
constexpr Named<bool> kOnOff[] = {{"on", true}, {"off", false}};
constexpr Named<Compression> kCompressions[] = {
    {"none", Compression::kNone}, {"gzip", Compression::kGzip}, {"zstd", Compression::kZstd}};
constexpr Named<log::Level> kLogLevels[] = {{"debug", log::Level::kDebug},
                                            {"info", log::Level::kInfo},
                                            {"warning", log::Level::kWarning},
                                            {"error", log::Level::kError},
                                            {"off", log::Level::kOff}};
constexpr Named<StateAction> kStateActions[] = {{"show", StateAction::kShow},
                                                {"verify", StateAction::kVerify},
                                                {"repair", StateAction::kRepair},
                                                {"convert", StateAction::kConvert}};

template <auto Member, const auto& Words>
Status set_choice(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(choice, choose(text, Words));
  settings.*Member = choice;
  return {};
}

Status set_brokers(Settings& settings, std::string_view text) {
  if (text == "embedded") {
    settings.is_broker_embedded = true;
    return {};
  }
  for (const std::string_view part : split_list(text, ',')) {
    const std::size_t scheme = part.rfind("://");
    const std::string_view address = scheme == part.npos ? part : part.substr(scheme + 3);
    const std::size_t colon = address.rfind(':');
    const bool has_port = colon != address.npos && !address.ends_with(']');
    if (address.empty() || colon == 0 ||
        (has_port && !parse_integer(address.substr(colon + 1), 1, 65535).ok())) {
      return bad_value(fmt::format("'{}' is not HOST:PORT, as in localhost:9092", part));
    }
  }
  settings.client.brokers = text;
  return {};
}

// NAME or NAME=THREADS, more of them after commas.
Status set_topics(Settings& settings, std::string_view text) {
  for (const std::string_view part : split_list(text, ',')) {
    const std::size_t equals = part.starts_with('^') ? part.npos : part.find('=');
    const std::string_view name = part.substr(0, equals);
    KS_TRY(check_topic(name));
    if (equals != part.npos) {
      KS_TRY_VALUE(threads, parse_integer(part.substr(equals + 1), 1, kReadersMax));
      settings.threads_of[std::string(name)] = static_cast<std::size_t>(threads);
    }
    if (std::find(settings.topics.begin(), settings.topics.end(), name) == settings.topics.end()) {
      settings.topics.emplace_back(name);
    }
  }
  return {};
}

template <auto Member>
Status set_duration(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(duration, parse_duration(text));
  settings.*Member = duration;
  return {};
}

Status set_interval(Settings& settings, std::string_view text) {
  settings.is_interval_chosen = true;
  return set_duration<&Settings::interval>(settings, text);
}

template <auto Member, std::int64_t Min>
Status set_bytes(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(bytes, parse_bytes(text));
  if (bytes < Min) {
    return bad_value(fmt::format("'{}' is too small: at least {}MiB", text, Min / kMiB));
  }
  settings.*Member = bytes;
  return {};
}

Status set_spill_max(Settings& settings, std::string_view text) {
  if (text == "0") {
    settings.spill_bytes_max = 0;
    return {};
  }
  return set_bytes<&Settings::spill_bytes_max, 0>(settings, text);
}

Status set_from(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(place, parse_place(text));
  settings.from = std::move(place);
  return {};
}

Status set_until(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(place, parse_place(text));
  if (std::holds_alternative<Earliest>(place) || std::holds_alternative<LastRecords>(place) ||
      std::holds_alternative<GroupPosition>(place)) {
    return bad_value(
        fmt::format("'{}' is not an end: latest, @TIME or TOPIC:PARTITION:OFFSET,...", text));
  }
  settings.until = std::move(place);
  return {};
}

// A switch that does something when it is on and nothing when it is off.
template <auto Act>
Status when_on(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(is_on, boolean(text));
  if (is_on) {
    Act(settings);
  }
  return {};
}

Status add_range(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(range, parse_range(text));
  for (const OffsetRange& other : settings.ranges) {
    if (other.partition == range.partition) {
      return bad_value(fmt::format("'{}': partition {} has a range already; one each", text,
                                   to_string(range.partition)));
    }
  }
  settings.ranges.push_back(std::move(range));
  return {};
}

Status set_batches(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(batches, parse_integer(text, 1, kCountMax));
  settings.batches_max = batches;
  return {};
}

// A word, or json: and a JSON Pointer.
Status set_decode(Settings& settings, std::string_view text) {
  const std::size_t colon = text.starts_with("json:") ? text.find(':') : text.npos;
  KS_TRY_VALUE(decoding, choose(text.substr(0, colon), kDecodingNames));
  settings.decode = {decoding, {}};
  if (colon != text.npos) {
    KS_TRY_VALUE(pointer, parse_json_pointer(text.substr(colon + 1)));
    settings.decode.pointer = std::move(pointer);
  } else if (decoding == Decoding::kJson) {
    return bad_value(
        "'json' does not say where in a record the text is: json:/NAME, or json: for records that "
        "are a JSON text and nothing else");
  }
  return {};
}

template <auto Member>
Status set_file(Settings& settings, std::string_view text) {
  if (text.empty()) {
    return bad_value("an empty text is not a file");
  }
  settings.*Member = text;
  return {};
}

Status set_min_length(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(characters, parse_integer(text, 0, kWordCharactersMax));
  settings.characters_min = static_cast<std::size_t>(characters);
  return {};
}

Status set_kernel(Settings& settings, std::string_view text) {
  std::string names;
  for (const Kernel* kernel : kernels()) {
    if (kernel->name == text) {
      settings.kernel = kernel;
      return {};
    }
    names += fmt::format(" {}", kernel->name);
  }
  return bad_value(fmt::format("'{}' is not among what this CPU can run:{}", text, names));
}

Status set_format(Settings& settings, std::string_view text) {
  settings.is_format_chosen = true;
  constexpr Named<OutputFormat> kWords[] = {{"pprint", OutputFormat::kPprint},
                                            {"scala", OutputFormat::kScala},
                                            {"tsv", OutputFormat::kTsv},
                                            {"csv", OutputFormat::kCsv},
                                            {"json", OutputFormat::kJson}};
  KS_TRY_VALUE(format, choose(text, kWords));
  settings.presentation.format = format;
  return {};
}

Status set_top(Settings& settings, std::string_view text) {
  settings.is_top_chosen = true;
  if (text == "all") {
    settings.presentation.top.reset();
    return {};
  }
  const auto top = parse_integer(text, 0, kCountMax);
  if (!top.ok()) {
    return bad_value(fmt::format("'{}' is neither a number of words nor 'all'", text));
  }
  settings.presentation.top = static_cast<std::size_t>(top.value());
  return {};
}

Status set_order(Settings& settings, std::string_view text) {
  constexpr Named<Order> kWords[] = {{"count", Order::kCount}, {"word", Order::kWord}};
  KS_TRY_VALUE(order, choose(text, kWords));
  settings.presentation.order = order;
  return {};
}

Status add_output(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(target, parse_output(text));
  if (std::find(settings.outputs.begin(), settings.outputs.end(), target) !=
      settings.outputs.end()) {
    // Not the text itself: it may have a password.
    return bad_value(fmt::format("'{}' is there twice", text.substr(0, text.find(':'))));
  }
  settings.outputs.push_back(std::move(target));
  return {};
}

Status set_name(Settings& settings, std::string_view text) {
  constexpr std::size_t kBytesMax = 200;
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (text.empty() || text.size() > kBytesMax ||
      std::any_of(text.begin(), text.end(), is_control)) {
    return bad_value(fmt::format("a name has 1 to {} bytes and no control characters", kBytesMax));
  }
  settings.name = text;
  return {};
}

Status set_state_dir(Settings& settings, std::string_view text) {
  if (text.empty()) {
    return bad_value("an empty text is not a directory");
  }
  settings.state_dir = text;
  return {};
}

Status set_group(Settings& settings, std::string_view text) {
  KS_TRY(check_zookeeper_group(text));
  settings.group = text;
  return {};
}

Status set_zookeeper(Settings& settings, std::string_view text) {
  KS_TRY(parse_zookeeper_address(text));
  settings.zookeeper = text;
  return {};
}

// Records per second.
template <auto Member>
Status set_records_per_s(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(rate, parse_integer(text, 1, kRateMax));
  settings.*Member = rate;
  return {};
}

Status set_readers(Settings& settings, std::string_view text) {
  KS_TRY_VALUE(readers, parse_integer(text, 1, kReadersMax));
  settings.readers = static_cast<std::size_t>(readers);
  return {};
}

Status add_property(Settings& settings, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return bad_value(fmt::format("'{}' is not KEY=VALUE", text));
  }
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = text.substr(equals + 1);
  if (name == "metadata.broker.list" || name == "bootstrap.servers") {
    return set_brokers(settings, value);
  }
  if (name == "auto.offset.reset") {
    return set_from(settings, value);
  }
  KS_TRY(kafka::check_property(std::string(name), std::string(value)));
  settings.client.properties.emplace_back(name, value);
  return {};
}

Status set_key_separator(Settings& settings, std::string_view text) {
  if (text.empty()) {
    return bad_value("an empty text separates nothing");
  }
  settings.key_separator = text;
  return {};
}

Status add_embedded_topic(Settings& settings, std::string_view text) {
  for (const std::string_view part : split_list(text, ',')) {
    const std::size_t colon = part.rfind(':');
    const std::string_view name = part.substr(0, colon);
    if (colon == part.npos || !check_topic(name).ok() || name.starts_with('^') ||
        !parse_integer(part.substr(colon + 1), 1, 10'000).ok()) {
      return bad_value(fmt::format("'{}' is not NAME:PARTITIONS, as in test:4", part));
    }
    const std::int64_t partitions = parse_integer(part.substr(colon + 1), 1, 10'000).value();
    settings.embedded_topics.push_back({std::string(name), static_cast<std::int32_t>(partitions)});
  }
  return {};
}

Status set_offsets_action(Settings&, std::string_view text) {
  constexpr Named<StateAction> kWords[] = {{"show", StateAction::kShow}};
  KS_TRY(choose(text, kWords));
  return {};
}

constexpr unsigned kForAll = kForWordcount | kForProduce | kForBroker | kForState | kForOffsets;
constexpr unsigned kForClients = kForWordcount | kForProduce;

// In the order of the help.
const Option kOptions[] = {
    {"brokers", "-b,--bootstrap-server,--bootstrap-servers,--broker-list", "HOST:PORT,...",
     "required", "brokers to ask first; 'embedded' starts one inside this process",
     kForClients | kForState, false, set_brokers},
    {"topic", "-t", "NAME[=THREADS]", "required",
     "topic, or ^REGEX for all that match; repeatable, or a comma list; THREADS: with --mode "
     "receiver, so many members of the group receive it here",
     kForClients, true, set_topics},
    {"mode", "", "direct|receiver", "direct",
     "direct: read offset ranges, keep the position oneself; receiver: a consumer group receives, "
     "a write-ahead log in --state-dir keeps, then the offsets are committed",
     kForWordcount, false, set_choice<&Settings::mode, kModes>},
    {"from", "-o", "WHERE", "latest",
     "where to start without a state: latest, earliest, -N (the last N of each partition), "
     "@2026-01-31T10:00Z, @-1h, committed (by --group), TOPIC:PARTITION:OFFSET,...; also end, "
     "beginning, largest, smallest",
     kForWordcount, false, set_from},
    {"from-beginning", "", "", "", "the same as --from earliest", kForWordcount, false,
     when_on<[](Settings& settings) { settings.from = Earliest{}; }>},
    {"until", "", "WHERE", "never",
     "stop there and exit: latest (the end as it is at the start), @TIME, "
     "TOPIC:PARTITION:OFFSET,...",
     kForWordcount, false, set_until},
    {"exit", "-e", "", "", "the same as --until latest; with --feed: when all of it is counted",
     kForWordcount, false, when_on<[](Settings& settings) {
       settings.until = settings.until.value_or(Latest{});  // an --until says more
     }>},
    {"once", "", "", "", "all from --from to --until as one batch", kForWordcount, false,
     when_on<[](Settings& settings) { settings.is_once = true; }>},
    {"range", "", "TOPIC:PARTITION:FROM:UNTIL", "",
     "exactly these records as one batch, then exit; repeatable", kForWordcount, true, add_range},
    {"batches", "", "N", "unlimited", "stop after N batches", kForWordcount, false, set_batches},
    {"interval", "-i", "DURATION", "2s direct, 1s receiver", "batch interval: 500ms, 2s, 1m",
     kForWordcount, false, set_interval},
    {"decode", "", "utf8|latin1|bytes|json:/POINTER", "utf8",
     "record value to text; json: the text, number or list of words that the JSON Pointer leads to",
     kForWordcount, false, set_decode},
    {"handler", "", "FILE", "none",
     "a file in Lua that defines decode(bytes), handle(message) or both: what of a record counts",
     kForWordcount, false, set_file<&Settings::handler>},
    {"on-invalid", "", "replace|skip|fail", "replace",
     "a record that does not decode, or for which the handler fails: replace: U+FFFD for what is "
     "not UTF-8, nothing for what is no such JSON; skip: no words; fail: stop (65)",
     kForWordcount, false, set_choice<&Settings::on_invalid, kOnInvalidNames>},
    {"split", "", "space|java|whitespace|words", "space",
     "text to words: at each blank, as Python's split(\" \") does, or as Java's; at any white "
     "space; "
     "or runs of letters, marks and digits",
     kForWordcount, false, set_choice<&Settings::split, kSplitNames>},
    {"lower", "", "", "", "count words in small letters (Unicode simple case folding)",
     kForWordcount, false, when_on<[](Settings& settings) { settings.is_lower = true; }>},
    {"min-length", "", "N", "0", "leave out words of fewer characters", kForWordcount, false,
     set_min_length},
    {"stopwords", "", "FILE", "none", "leave out these words, one a line; with --lower in any case",
     kForWordcount, false, set_file<&Settings::stop_words>},
    {"format", "", "pprint|scala|tsv|csv|json", "pprint",
     "how a batch is printed, or written to a file (there json, if none is given)", kForWordcount,
     false, set_format},
    {"top", "-n", "N|all", "10 for pprint and scala, else all", "words printed of each batch",
     kForWordcount, false, set_top},
    {"order", "", "count|word", "count", "what comes first", kForWordcount, false, set_order},
    {"offsets", "", "", "", "print the offset range of each partition after each batch",
     kForWordcount, false,
     when_on<[](Settings& settings) { settings.presentation.offsets = true; }>},
    {"output", "", "stdout|file:DIR|sqlite:FILE|postgres:URL|kafka:TOPIC", "stdout",
     "where batches go; repeatable: each gets every batch. All but stdout hold each batch exactly "
     "once, whatever crashes",
     kForWordcount, true, add_output},
    {"compress", "", "none|gzip|zstd", "none", "the files of --output file:DIR", kForWordcount,
     false, set_choice<&Settings::compression, kCompressions>},
    {"name", "", "NAME", "the topics, joined by +",
     "of the stream: what its rows are called in outputs that hold several", kForWordcount, false,
     set_name},
    {"read-uncommitted", "", "", "", "count records of open and aborted transactions, too",
     kForWordcount, false,
     when_on<[](Settings& settings) { settings.client.is_read_uncommitted = true; }>},
    {"state-dir", "", "DIR", "none", "where the position is kept, so that a restart goes on there",
     kForWordcount | kForOffsets, false, set_state_dir},
    {"group", "-g", "NAME", "none direct, kstream receiver",
     "receiver: the consumer group to join; direct: one that positions are published to, for lag "
     "tools",
     kForWordcount | kForState, false, set_group},
    {"zookeeper", "", "HOST:PORT,.../CHROOT", "none",
     "where the positions of --group are kept (receiver) or published, too (direct): "
     "/consumers/GROUP/offsets/TOPIC/PARTITION",
     kForWordcount | kForState, false, set_zookeeper},
    {"wal", "", "", "on with --state-dir", "receiver: keep what is received in a write-ahead log",
     kForWordcount, false, when_on<[](Settings& settings) { settings.has_wal = true; }>},
    {"no-wal", "", "", "",
     "receiver: keep none; offsets are committed after each batch, and a restart may repeat one",
     kForWordcount, false, when_on<[](Settings& settings) { settings.has_wal = false; }>},
    {"wal-max", "", "SIZE", "1GiB", "receiver: size of the log at which nothing more is received",
     kForWordcount, false, set_bytes<&Settings::wal_bytes_max, kWalBytesMin>},
    {"block-interval", "", "DURATION", "200ms",
     "receiver: how long a record waits for others before it is logged", kForWordcount, false,
     set_duration<&Settings::block_interval>},
    {"allow-network-fs", "", "", "", "take a state directory on a network file system, too",
     kForWordcount | kForState, false,
     when_on<[](Settings& settings) { settings.may_state_be_on_network = true; }>},
    {"on-data-loss", "", "fail|skip", "fail",
     "what to do about records that the brokers no longer have", kForWordcount, false,
     set_choice<&Settings::skips_lost_records, kOnDataLoss>},
    {"discover", "", "DURATION", "30s", "how often new partitions and topics are looked for",
     kForWordcount, false, set_duration<&Settings::discover_every>},
    {"max-rate", "", "N", "unlimited", "receiver: records per second of each receiving thread",
     kForWordcount, false, set_records_per_s<&Settings::max_rate>},
    {"max-rate-per-partition", "", "N", "unlimited", "records per second", kForWordcount, false,
     set_records_per_s<&Settings::max_rate_per_partition>},
    {"min-rate-per-partition", "", "N", "1", "records that a limited batch has of each at least",
     kForWordcount, false, set_records_per_s<&Settings::min_rate_per_partition>},
    {"backpressure", "", "on|off", "on",
     "keep a batch to what can be counted in its interval, as measured", kForWordcount, false,
     set_choice<&Settings::has_backpressure, kOnOff>},
    {"initial-rate", "", "N", "100000", "records per second until there is a measurement",
     kForWordcount, false, set_records_per_s<&Settings::initial_rate>},
    {"feed", "", "FILE|-", "none", "with --brokers embedded: lines to send to the topic",
     kForWordcount, false, set_file<&Settings::feed>},
    {"kernel", "", "scalar|avx2|avx512", "the fastest that the CPU can run",
     "machine code that counts; the counts are the same", kForWordcount, false, set_kernel},
    {"memory", "", "SIZE", "512MiB, or half of the control group's limit",
     "for counts and for records that are read ahead; words that do not fit go to the disk",
     kForWordcount, false, set_bytes<&Settings::memory_bytes, kMemoryBytesMin>},
    {"spill-max", "", "SIZE", "free space less 256MiB",
     "how much of the disk they may take, in --state-dir, else in $TMPDIR or /var/tmp; 0: none",
     kForWordcount, false, set_spill_max},
    {"readers", "", "N", "one for two cores",
     "reading threads, each with a counting one; receiver: counting threads", kForWordcount, false,
     set_readers},
    {"startup-timeout", "", "DURATION", "30s",
     "how long a run with an end waits for brokers, and produce for acknowledgements; others wait "
     "for "
     "ever",
     kForClients, false, set_duration<&Settings::startup_timeout>},
    {"stop-deadline", "", "DURATION", "10s", "how long SIGTERM waits for the batch in hand",
     kForWordcount, false, set_duration<&Settings::stop_deadline>},
    {"rate", "", "N", "unlimited", "records per second", kForProduce, false,
     set_records_per_s<&Settings::rate_records_per_s>},
    {"key-separator", "", "TEXT", "none", "what comes before it in a line is the record's key",
     kForProduce, false, set_key_separator},
    {"embedded-topic", "-t,--topic", "NAME:PARTITIONS", "none", "topic to make; repeatable",
     kForBroker, true, add_embedded_topic},
    {"action", "", "show|verify|repair|convert", "",
     "print the state; only check it; make a new log of what is good of a damaged one; or make a "
     "receiver's state of a stopped direct stream's, and the other way round (convert needs "
     "--brokers); for adopt see kstream state adopt --help",
     kForState, false, set_choice<&Settings::state_action, kStateActions>, true},
    {"frames", "", "", "", "also list every frame of the write-ahead log", kForState, false,
     when_on<[](Settings& settings) { settings.shows_frames = true; }>},
    {"directory", "", "DIR", "", "the state directory", kForState, false, set_state_dir, true},
    {"from-sink", "", "", "",
     "make --state-dir of what the outputs hold: their last batch, and where it ended", kForAdopt,
     false, when_on<[](Settings& settings) { settings.is_adopted_from_sink = true; }>},
    {"action", "", "show", "", "print each partition's next offset", kForOffsets, false,
     set_offsets_action, true},
    {"property", "-X", "KEY=VALUE", "none", "any librdkafka property; repeatable",
     kForClients | kForState, true, add_property},
    {"log-level", "", "debug|info|warning|error|off", "info", "what is said on standard error",
     kForAll, false, set_choice<&Settings::log_level, kLogLevels>},
    {"quiet", "-q", "", "", "only errors: --log-level error", kForAll, false,
     when_on<[](Settings& settings) { settings.log_level = log::Level::kError; }>},
    {"verbose", "-v", "", "", "also what librdkafka says: --log-level debug", kForAll, false,
     when_on<[](Settings& settings) { settings.log_level = log::Level::kDebug; }>},
};

}  // namespace

std::span<const Option> options() {
  return kOptions;
}

}  // namespace kstream
