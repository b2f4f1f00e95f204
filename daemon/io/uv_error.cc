// SPDX-License-Identifier: MIT
#include "daemon/io/uv_error.h"

#include <uv.h>

namespace hikyaku::io {
namespace {

IoErrorKind kind_of(int error) {
  switch (error) {
    case UV_EOF: return IoErrorKind::eof;
    case UV_ETIMEDOUT: return IoErrorKind::timeout;
    case UV_ECANCELED: return IoErrorKind::cancelled;
    case UV_ECONNRESET:
    case UV_ECONNABORTED:
    case UV_ENOTCONN:
    case UV_EPIPE: return IoErrorKind::reset;
    case UV_ECONNREFUSED: return IoErrorKind::refused;
    case UV_ENETUNREACH:
    case UV_EHOSTUNREACH:
    case UV_ENETDOWN:
    case UV_EADDRNOTAVAIL:
    case UV_EAFNOSUPPORT: return IoErrorKind::unreachable;
    case UV_EAI_NONAME:
    case UV_EAI_NODATA: return IoErrorKind::no_such_name;
    case UV_EAI_AGAIN:
    case UV_EAI_FAIL:
    case UV_EAI_FAMILY:
    case UV_EAI_MEMORY:
    case UV_EAI_SERVICE: return IoErrorKind::lookup_failed;
    case UV_EADDRINUSE: return IoErrorKind::address_in_use;
    case UV_EACCES:
    case UV_EPERM: return IoErrorKind::access_denied;
    default: return IoErrorKind::system;
  }
}

}  // namespace

IoError from_uv(int error) {
  if (error == UV_EOF) return {IoErrorKind::eof, "the peer closed the connection"};
  return {kind_of(error), uv_strerror(error)};
}

}  // namespace hikyaku::io
