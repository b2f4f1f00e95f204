// SPDX-License-Identifier: MIT
// sendmail(1). The order of the first lines matters: privilege, surroundings, signals, and only then what the
// caller wants.
#include <cstdio>
#include <exception>
#include <string_view>
#include <vector>

#include "daemon/sendmail/process_hygiene.h"
#include "daemon/sendmail/sendmail.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sys/auxv.h>
// The leak checker of a sanitizer build looks at its process as a debugger would, which nobody may at a
// set-gid program.
extern "C" int __lsan_is_turned_off() { return ::getauxval(AT_SECURE) != 0 ? 1 : 0; }
#endif
#endif

using namespace hikyaku::sendmail;

int main(int count, char** words) {
  bool elevated = drop_privilege();
  sanitize_process();
  watch_signals();
  try {
    std::vector<std::string_view> arguments(words, words + count);
    return static_cast<int>(run(arguments, elevated));
  } catch (const std::exception& error) {  // no memory, in practice; what was begun has been removed by now
    std::fprintf(stderr, "sendmail: %s; nothing was stored\n", error.what());
    return static_cast<int>(hikyaku::Exit::try_again);
  }
}
