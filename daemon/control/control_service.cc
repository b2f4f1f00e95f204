// SPDX-License-Identifier: MIT
#include "daemon/control/control_service.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/control/control_request.h"
#include "daemon/system/accounts.h"

namespace hikyaku::control {

ControlService::ControlService(ControlOptions options, Fd listening, DaemonControl& daemon, Clock& clock)
    : path_(options.path),
      group_(options.group),
      reader_(options.spool_directory, clock, options.open_view),
      routes_(daemon, reader_, clock),
      server_(std::move(listening), serving(options)) {}

ControlService::~ControlService() = default;

ControlServing ControlService::serving(const ControlOptions& options) {
  ControlServing serving;
  serving.rights = [this](int fd) {
    auto caller = caller_of(fd);
    return caller ? std::optional(rights_of_caller(*caller)) : std::nullopt;
  };
  serving.serve = [this](ControlConnection& connection, const Rights& rights) {
    serve_http(connection, rights, [this](const ControlRequest& request) { return routes_.answer(request); });
  };
  serving.at_times = [this] { reader_.rest(); };
  serving.limits = options.limits;
  serving.times = options.times;
  return serving;
}

// Looked up each time: a group may be made, or get members, while we run.
Rights ControlService::rights_of_caller(const Caller& caller) {
  std::string group;
  {
    Lock lock(mutex_);
    group = group_;
  }
  return rights_of(caller, {::geteuid(), ::getegid(), system::find_group(group)});
}

void ControlService::configure(std::string group) {
  Lock lock(mutex_);
  group_ = std::move(group);
}

void ControlService::stop(std::chrono::milliseconds grace) {
  ::unlink(path_.c_str());
  server_.stop(grace);
}

namespace {

constexpr int kBacklog = 1024;  // a crowd is refused one by one, not by the kernel
constexpr mode_t kMode = 0660;
constexpr auto kNoId = static_cast<std::uint32_t>(ACL_UNDEFINED_ID);

std::unexpected<StartError> failed(const std::string& path) {
  return fail(Exit::cannot_create, cat("cannot listen on ", path, ": ", os_error_text(errno)));
}

posix_acl_xattr_entry entry(int tag, int rights, std::uint32_t id = kNoId) {
  return {htole16(static_cast<std::uint16_t>(tag)), htole16(static_cast<std::uint16_t>(rights)), htole32(id)};
}

// What acl(5) calls user::rw, group::rw, group:GID:rw for each, mask::rw, other::-, as the kernel takes it. A
// file's owner may let any group in this way; to give it away he would have to be a member.
bool let_in(const std::string& path, const std::set<gid_t>& groups) {
  constexpr int kRights = ACL_READ | ACL_WRITE;
  std::vector<posix_acl_xattr_entry> entries = {entry(ACL_USER_OBJ, kRights), entry(ACL_GROUP_OBJ, kRights)};
  for (gid_t group : groups) entries.push_back(entry(ACL_GROUP, kRights, group));
  entries.push_back(entry(ACL_MASK, kRights));
  entries.push_back(entry(ACL_OTHER, 0));
  const posix_acl_xattr_header header{htole32(POSIX_ACL_XATTR_VERSION)};
  std::string value(reinterpret_cast<const char*>(&header), sizeof header);
  value.append(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof entries[0]);
  return ::setxattr(path.c_str(), XATTR_NAME_POSIX_ACL_ACCESS, value.data(), value.size(), 0) == 0;
}

std::string note_for(const std::string& path, const std::string& group, std::string_view why) {
  return cat(path, " cannot be reached by the group ", group, ": ", why);
}

}  // namespace

// The directory is ours: nobody can put another file in this one's place.
std::vector<std::string> share_control_socket(const std::string& path, const ControlGroups& groups) {
  std::vector<std::string> notes;
  auto sendmail = system::find_group(groups.sendmail);
  auto operators = system::find_group(groups.operators);
  if (!sendmail)
    notes.push_back(
        note_for(path, groups.sendmail, "this machine does not have it, so mailq works for operators only"));
  std::set<gid_t> wanted;
  for (const auto& group : {sendmail, operators})
    if (group) wanted.insert(*group);
  if (let_in(path, wanted)) return notes;
  const std::string why = cat("access control list: ", os_error_text(errno));
  if (sendmail && ::lchown(path.c_str(), static_cast<uid_t>(-1), *sendmail) != 0)
    notes.push_back(note_for(path, groups.sendmail, why));
  if (operators) notes.push_back(note_for(path, groups.operators, why));
  return notes;
}

Result<SharedSocket, StartError> open_control_socket(const std::string& path, const ControlGroups& groups) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(Exit::cannot_create, cat(path, ": too long for a socket's path"));
  path.copy(address.sun_path, path.size());
  ::unlink(path.c_str());
  SharedSocket socket{Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), {}};
  if (!socket.listening) return failed(path);
  if (::bind(socket.listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return failed(path);
  if (::chmod(path.c_str(), kMode) != 0) return failed(path);
  socket.notes = share_control_socket(path, groups);
  if (::listen(socket.listening.get(), kBacklog) != 0) return failed(path);
  return socket;
}

}  // namespace hikyaku::control
