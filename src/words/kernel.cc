#include "words/kernel.h"

#include <vector>

#include "words/kernel_versions.h"

namespace kstream {
namespace {

std::vector<const Kernel*> runnable() {
  std::vector<const Kernel*> found;
#if defined(__x86_64__)
  const bool has_avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
                        __builtin_cpu_supports("bmi2") != 0;
  if (has_avx2 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
      __builtin_cpu_supports("avx512vbmi2") != 0) {
    found.push_back(&kAvx512Kernel);
  }
  if (has_avx2) {
    found.push_back(&kAvx2Kernel);
  }
#endif
  found.push_back(&kScalarKernel);
  return found;
}

}  // namespace

std::span<const Kernel* const> kernels() {
  static const std::vector<const Kernel*> found = runnable();
  return found;
}

}  // namespace kstream
