// SPDX-License-Identifier: MIT
// sendmail(1). The order of the first calls matters: privilege, process state, signals, and only then the
// request.
#include <cstdio>
#include <exception>
#include <string_view>
#include <vector>

#include "daemon/sendmail/process_hygiene.h"
#include "daemon/sendmail/sendmail.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sys/auxv.h>
// The leak checker of a sanitizer build attaches to its process like a debugger, which is not allowed for a
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
  } catch (const std::exception& error) {  // in practice, out of memory; the draft has been removed by now
    std::fprintf(stderr, "sendmail: %s; nothing was stored\n", error.what());
    return static_cast<int>(hikyaku::Exit::try_again);
  }
}
