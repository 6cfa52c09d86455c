#include "sink/console.h"

#include "sink/format.h"

namespace kstream {

Console::Console(Output& output, const Presentation& presentation, std::size_t memory_bytes,
                 ScratchSpace& space)
    : output_(output), presentation_(presentation), memory_bytes_(memory_bytes), space_(space) {}

Status Console::write(const BatchResult& result) {
  KS_TRY(output_.check_reader());
  KS_TRY_VALUE(shown, sort_words(result.counts, presentation_.order, presentation_.top,
                                 memory_bytes_, space_));
  if (!is_header_written_) {
    KS_TRY(output_.write(header(presentation_)));
    is_header_written_ = true;
  }
  return render(result, shown, presentation_,
                [this](std::string_view chunk) { return output_.write(chunk); });
}

}  // namespace kstream
