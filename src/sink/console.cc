#include "sink/console.h"

#include "sink/format.h"

namespace kstream {

Console::Console(Output& output, const Presentation& presentation)
    : output_(output), presentation_(presentation) {}

Status Console::write(const BatchResult& result) {
  KS_TRY(output_.check_reader());
  if (!is_header_written_) {
    KS_TRY(output_.write(header(presentation_)));
    is_header_written_ = true;
  }
  return render(result, presentation_,
                [this](std::string_view chunk) { return output_.write(chunk); });
}

}  // namespace kstream
