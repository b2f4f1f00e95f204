// SPDX-License-Identifier: MIT
#include "daemon/oauth/token_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"

namespace hikyaku::oauth {
namespace {

constexpr std::size_t kMostPrinted = 64 * 1024;

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Result<Pipe, std::string> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(cat("pipe: ", os_error_text(errno)));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// A group of its own, so that what it starts ends with it; signals as a program expects them.
class SpawnSettings {
 public:
  explicit SpawnSettings(int output) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&files_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  Result<pid_t, std::string> start(std::vector<std::string> command) const {
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/local/bin:/usr/bin:/bin";
    char* environment[] = {path.data(), nullptr};
    pid_t pid = 0;
    const int failed =
        ::posix_spawn(&pid, arguments[0], &files_, &attributes_, arguments.data(), environment);
    if (failed != 0) return std::unexpected(cat("cannot start ", command[0], ": ", os_error_text(failed)));
    return pid;
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

enum class Reading { ended, too_late, too_long };

// Until the end of what it prints. Whoever keeps the pipe open beyond the program's end keeps us no longer
// than `until`.
Reading read_all(const Fd& from, Instant until, std::string& printed) {
  char block[4096];
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SystemClock().now()).count();
    if (left <= 0) return Reading::too_late;
    pollfd waits{.fd = from.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waits, 1, static_cast<int>(left)) <= 0) continue;
    const ssize_t got = ::read(from.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    printed.append(block, static_cast<std::size_t>(got));
    if (printed.size() > kMostPrinted) return Reading::too_long;
  }
  ::explicit_bzero(block, sizeof block);
  return Reading::ended;
}

// It may have closed its output and go on: the group is killed once nobody waits for it any more.
int reap(pid_t pid, Instant until) {
  int status = 0;
  while (SystemClock().now() < until) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid || (ended < 0 && errno != EINTR)) return status;
    ::poll(nullptr, 0, 10);
  }
  ::kill(-pid, SIGKILL);
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

}  // namespace

Result<Secret, std::string> run_token_command(const std::vector<std::string>& command, Duration limit) {
  auto pipe = make_pipe();
  if (!pipe) return std::unexpected(pipe.error());
  auto pid = SpawnSettings(pipe->write_end.get()).start(command);
  if (!pid) return std::unexpected(pid.error());
  pipe->write_end.reset();
  const Instant until = SystemClock().now() + limit;
  std::string printed;
  const Reading reading = read_all(pipe->read_end, until, printed);
  const int status = reap(*pid, reading == Reading::ended ? until : SystemClock().now());
  Secret token(std::move(printed));
  if (reading == Reading::too_long) return std::unexpected(cat(command[0], " printed more than 64 KiB"));
  if (reading == Reading::too_late) return std::unexpected(cat(command[0], " was not done in time"));
  if (WIFSIGNALED(status))
    return std::unexpected(cat(command[0], " was ended by signal ", std::to_string(WTERMSIG(status))));
  if (WEXITSTATUS(status) != 0)
    return std::unexpected(cat(command[0], " ended with exit code ", std::to_string(WEXITSTATUS(status))));
  return token;
}

}  // namespace hikyaku::oauth
