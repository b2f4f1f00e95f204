// SPDX-License-Identifier: MIT
#include <array>
#include <charconv>
#include <exception>
#include <utility>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/control/control_request.h"

namespace hikyaku::control {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 422: return "Unprocessable Content";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return status < 500 ? "Refused" : "Failed";
  }
}

std::string answer_head(const ControlAnswer& answer, std::string_view length_field) {
  return cat("HTTP/1.1 ", std::to_string(answer.status), " ", reason_phrase(answer.status),
             "\r\nContent-Type: ", answer.type, "\r\nCache-Control: no-store\r\nConnection: close\r\n",
             length_field, "\r\n");
}

void write_whole(ControlConnection& connection, const ControlAnswer& answer) {
  connection.write(whole_answer(answer));
}

std::string chunk(std::string_view piece) {
  std::array<char, 2 * sizeof(std::size_t)> size;
  char* end = std::to_chars(size.begin(), size.end(), piece.size(), 16).ptr;
  return cat(std::string_view(size.begin(), end), "\r\n", piece, "\r\n");
}

// An answer that breaks off lacks its last chunk. A client of HTTP/1.0 takes the end of the connection for
// the answer's end, and judges by the last line.
void write_pieces(ControlConnection& connection, const ControlAnswer& answer, bool in_chunks) {
  bool goes_on = connection.write(answer_head(answer, in_chunks ? "Transfer-Encoding: chunked\r\n" : ""));
  while (goes_on) {
    auto piece = answer.pieces();
    if (!piece) return;
    if (piece->empty()) break;
    goes_on = connection.write(in_chunks ? chunk(*piece) : *piece);
  }
  if (goes_on && in_chunks) connection.write("0\r\n\r\n");
}

// Returns nullopt if the body broke off or did not come in time.
std::optional<std::string> read_body(ControlConnection& connection, std::size_t size) {
  std::string body(size, '\0');
  for (std::size_t filled = 0; filled < size;) {
    std::size_t got = connection.read(std::span(body).subspan(filled));
    if (got == 0) return std::nullopt;
    filled += got;
  }
  return body;
}

ControlAnswer answer_safely(const ControlRequest& request, const AnswerRequest& answer) {
  try {
    return answer(request);
  } catch (const std::exception& error) {
    return control_error(500, cat("internal error in hikyakud: ", printable(error.what())));
  }
}

void serve_request(ControlConnection& connection, RequestHead head, const Rights& rights,
                   const AnswerRequest& answer) {
  if (head.wants_continue && !connection.write("HTTP/1.1 100 Continue\r\n\r\n")) return;
  auto body = read_body(connection, head.body);
  if (!body) return write_whole(connection, control_error(400, "the request is incomplete"));
  ControlRequest request{.method = std::move(head.method),
                         .path = std::move(head.path),
                         .parameters = std::move(head.parameters),
                         .accept = std::move(head.accept),
                         .body = std::move(*body),
                         .rights = rights,
                         .is_wanted = [&connection] { return connection.has_peer(); }};
  ControlAnswer answered = answer_safely(request, answer);
  if (answered.pieces == nullptr) return write_whole(connection, answered);
  write_pieces(connection, answered, head.is_chunked_known);
}

}  // namespace

void serve_http(ControlConnection& connection, const Rights& rights, const AnswerRequest& answer) {
  try {
    auto text = connection.read_head();
    if (!text) return;
    auto head = parse_request_head(*text);
    if (!head) return write_whole(connection, control_error(head.error().kind, head.error().text));
    serve_request(connection, std::move(*head), rights, answer);
  } catch (const std::exception&) {
    // Out of memory, at worst: this client gets no answer, and nothing else happens.
  }
}

std::string whole_answer(const ControlAnswer& answer) {
  std::string length = cat("Content-Length: ", std::to_string(answer.body.size()), "\r\n");
  return answer_head(answer, length) + answer.body;
}

ControlAnswer control_error(int status, std::string_view text) {
  ControlAnswer answer = control_json(JsonObject().add("error", text).text());
  answer.status = status;
  return answer;
}

ControlAnswer control_json(std::string json) {
  ControlAnswer answer;
  answer.body = std::move(json) + '\n';
  return answer;
}

}  // namespace hikyaku::control
