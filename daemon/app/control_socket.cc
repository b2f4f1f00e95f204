// SPDX-License-Identifier: MIT
#include "daemon/app/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/app/local_users.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

constexpr int kBacklog = 1024;  // a crowd is refused one by one, not by the kernel
constexpr mode_t kMode = 0660;

std::unexpected<StartError> failed(const std::string& path) {
  return fail(Exit::cannot_create, cat("cannot listen on ", path, ": ", os_error_text(errno)));
}

// Nobody can connect before listen(), so who may is settled by then. The directory is ours: nobody can put
// another file in this one's place.
std::string give_to(const std::string& path, const std::string& group) {
  auto gid = find_group(group);
  if (gid && ::lchown(path.c_str(), static_cast<uid_t>(-1), *gid) == 0) return "";
  std::string why = gid ? "the daemon's user is no member of it" : "this machine does not have it";
  return cat("only root and the daemon's user can reach ", path, ", so mailq works for nobody else: group ",
             group, ": ", why);
}

}  // namespace

Result<ControlSocket, StartError> open_control_socket(const std::string& path, const std::string& group) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(Exit::cannot_create, cat(path, ": too long for a socket's path"));
  path.copy(address.sun_path, path.size());
  ::unlink(path.c_str());
  ControlSocket socket{Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), ""};
  if (!socket.listening) return failed(path);
  if (::bind(socket.listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return failed(path);
  socket.note = give_to(path, group);
  if (::chmod(path.c_str(), kMode) != 0 || ::listen(socket.listening.get(), kBacklog) != 0)
    return failed(path);
  return socket;
}

}  // namespace hikyaku::app
