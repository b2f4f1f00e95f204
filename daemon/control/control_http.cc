// SPDX-License-Identifier: MIT
#include "daemon/control/control_http.h"

#include <httplib.h>

#include <algorithm>
#include <utility>

#include "daemon/base/json.h"
#include "daemon/base/text.h"

namespace hikyaku::control {
namespace {

// What the library reads and writes: a head that we have made, the body as the peer sends it, and no byte
// beyond.
class OneRequest final : public httplib::Stream {
 public:
  OneRequest(ControlConnection& connection, RequestHead head)
      : connection_(connection), head_(std::move(head.text)), body_(head.body) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return connection_.has_peer(); }
  ssize_t read(char* into, std::size_t size) override {
    std::size_t got = given_ < head_.size() ? from_head(into, size) : from_body({into, size});
    return static_cast<ssize_t>(got);
  }
  ssize_t write(const char* bytes, std::size_t size) override {
    return connection_.write({bytes, size}) ? static_cast<ssize_t>(size) : -1;
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return connection_.fd(); }

 private:
  std::size_t from_head(char* into, std::size_t size) {
    std::size_t taken = head_.copy(into, size, given_);
    given_ += taken;
    return taken;
  }
  std::size_t from_body(std::span<char> into) {
    std::size_t got = body_ == 0 ? 0 : connection_.read(into.first(std::min(into.size(), body_)));
    body_ -= got;
    return got;
  }

  ControlConnection& connection_;
  std::string head_;
  std::size_t given_ = 0;
  std::size_t body_;
};

// Whose request a thread is busy with: the library hands its handlers nothing but the request itself.
struct Current {
  ControlConnection& connection;
  const Rights& rights;
};
thread_local const Current* current = nullptr;

ControlRequest to_ours(const httplib::Request& theirs) {
  ControlRequest request{.method = theirs.method,
                         .path = theirs.path,
                         .parameters = {theirs.params.begin(), theirs.params.end()},
                         .accept = theirs.get_header_value("Accept"),
                         .body = theirs.body,
                         .rights = current->rights};
  request.is_wanted = [connection = &current->connection] { return connection->has_peer(); };
  return request;
}

bool give_piece(const ControlAnswer::Pieces& pieces, httplib::DataSink& sink) {
  auto piece = pieces();
  if (!piece) return false;
  if (piece->empty()) return sink.done(), true;
  return sink.write(piece->data(), piece->size());
}

void to_theirs(ControlAnswer answer, const httplib::Request& request, httplib::Response& response) {
  response.status = answer.status;
  response.set_header("Cache-Control", "no-store");
  if (answer.pieces == nullptr) return response.set_content(answer.body, answer.type);
  auto provider = [pieces = std::move(answer.pieces)](std::size_t, httplib::DataSink& sink) {
    return give_piece(pieces, sink);
  };
  if (request.version == "HTTP/1.0")
    response.set_content_provider(answer.type, provider);
  else
    response.set_chunked_content_provider(answer.type, provider);
}

}  // namespace

class ControlHttp::Library final : public httplib::Server {
 public:
  Library(const std::vector<std::string>& posts, Answer answer) : answer_(std::move(answer)) {
    svr_sock_ = 0;  // streaming ends at once where the library takes itself for stopped
    set_payload_max_length(kMaxBody);
    auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      to_theirs(answer_safely(to_ours(request)), request, response);
    };
    // What has no body needs none of the library's patterns, which take stack by an address's length. What
    // has one is read before its path is looked at.
    set_pre_routing_handler([handle](const httplib::Request& request, httplib::Response& response) {
      if (request.method != "GET") return HandlerResponse::Unhandled;
      handle(request, response);
      return HandlerResponse::Handled;
    });
    for (const std::string& path : posts) Post(path, handle);
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty()) return;
      auto answer =
          control_error(response.status, response.status == 404 ? "there is nothing of that name here"
                                                                : "the request broke off");
      response.set_content(answer.body, answer.type);
    });
  }

  void serve(ControlConnection& connection, const Rights& rights, RequestHead head) {
    Current serving{connection, rights};
    current = &serving;
    bool is_closed = false;
    OneRequest stream(connection, std::move(head));
    process_request(stream, true, is_closed, nullptr);
    current = nullptr;
  }

 private:
  ControlAnswer answer_safely(const ControlRequest& request) {
    try {
      return answer_(request);
    } catch (const std::exception& error) {
      return control_error(500, cat("internal error in hikyakud: ", printable(error.what())));
    }
  }

  Answer answer_;
};

ControlHttp::ControlHttp(const std::vector<std::string>& posts, Answer answer)
    : library_(std::make_unique<Library>(posts, std::move(answer))) {}

ControlHttp::~ControlHttp() = default;

void ControlHttp::serve(ControlConnection& connection, const Rights& rights) {
  try {
    auto text = connection.read_head();
    if (!text) return;
    auto head = parse_request_head(*text);
    if (!head) return void(connection.write(refusal_answer(head.error())));
    if (head->wants_continue && !connection.write("HTTP/1.1 100 Continue\r\n\r\n")) return;
    library_->serve(connection, rights, std::move(*head));
  } catch (const std::exception&) {
    // Memory, at worst: this peer gets no answer, and nothing else happens.
  }
}

ControlAnswer control_error(int status, std::string_view text) {
  ControlAnswer answer = control_json(cat("{\"error\":", json_string(text), "}"));
  answer.status = status;
  return answer;
}

ControlAnswer control_json(std::string json) {
  ControlAnswer answer;
  answer.body = std::move(json) + '\n';
  return answer;
}

}  // namespace hikyaku::control
