// SPDX-License-Identifier: MIT
#include "daemon/io/process.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <utility>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"
#include "daemon/io/loop.h"
#include "daemon/io/socket_stream.h"

namespace hikyaku::io {
namespace {

constexpr std::size_t kLongestLine = 64 * 1024;

// libuv takes arrays of char* that end in a null; the strings outlive them.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> our_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  return variables;
}

}  // namespace

struct Process::Child {
  explicit Child(Loop& loop) : ended(loop) {}
  uv_process_t process{};
  std::optional<int> exit_code;
  Event ended;

  static void on_exit(uv_process_t* process, std::int64_t code, int signal_number) {
    auto* self = static_cast<Child*>(process->data);
    self->exit_code = signal_number != 0 ? 128 + signal_number : static_cast<int>(code);
    self->ended.notify();
  }
  static void on_close(uv_handle_t* handle) { delete static_cast<Child*>(handle->data); }
  void close() { uv_close(reinterpret_cast<uv_handle_t*>(&process), on_close); }

  int spawn(Loop& loop, const ProcessOptions& options, int input, int output) {
    std::vector<std::string> command = options.command;
    std::vector<std::string> environment = our_environment();
    environment.insert(environment.end(), options.environment.begin(), options.environment.end());
    std::vector<char*> arguments = pointers_to(command);
    std::vector<char*> variables = pointers_to(environment);
    uv_stdio_container_t files[3]{};
    files[0].flags = input < 0 ? UV_IGNORE : UV_INHERIT_FD;
    files[0].data.fd = input;
    for (int i : {STDOUT_FILENO, STDERR_FILENO}) {
      files[i].flags = UV_INHERIT_FD;
      files[i].data.fd = output;
    }
    uv_process_options_t wanted{};
    wanted.exit_cb = on_exit;
    wanted.file = arguments[0];
    wanted.args = arguments.data();
    wanted.env = variables.data();
    wanted.stdio = files;
    wanted.stdio_count = 3;
    process.data = this;
    return uv_spawn(loop.uv(), &process, &wanted);
  }
};

Process::Process(Child* child, StreamPtr output)
    : child_(child), output_(std::move(output)), reader_(*output_) {}

Result<std::unique_ptr<Process>, IoError> Process::start(Loop& loop, const ProcessOptions& options) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(IoErrorKind::system, cat("socketpair: ", os_error_text(errno)));
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  Fd input;
  if (!options.input.empty()) input.reset(::open(options.input.c_str(), O_RDONLY | O_CLOEXEC));
  if (!options.input.empty() && !input)
    return fail(IoErrorKind::system, cat(options.input, ": ", os_error_text(errno)));
  auto output = adopt_socket(loop, std::move(ours));
  if (!output) return std::unexpected(output.error());
  auto* child = new Child(loop);
  int spawned = child->spawn(loop, options, input.get(), theirs.get());
  if (spawned == 0) return std::unique_ptr<Process>(new Process(child, std::move(*output)));
  child->close();
  return fail(IoErrorKind::system, cat("cannot start ", options.command[0], ": ", from_uv(spawned).text));
}

Process::~Process() {
  signal(SIGKILL);
  child_->close();
}

void Process::signal(int number) {
  if (!child_->exit_code) uv_process_kill(&child_->process, number);
}

Task<Result<std::string, IoError>> Process::line(Until until) {
  auto line = co_await reader_.line(kLongestLine, until);
  if (!line) co_return std::unexpected(line.error());
  co_return std::move(line->text);
}

Task<Result<int, IoError>> Process::exit_code(Until until) {
  while (!child_->exit_code) {
    Woken woken = co_await child_->ended.wait(until);
    if (woken != Woken::ready) co_return std::unexpected(to_error(woken));
  }
  co_return *child_->exit_code;
}

}  // namespace hikyaku::io
