// SPDX-License-Identifier: MIT
#include "daemon/dns/stub_resolver.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/io/socket_watch.h"

namespace hikyaku::dns {
namespace {

constexpr std::size_t kMostQuestions = 300;  // at a time
constexpr int kDatagram = 1232;              // what no path fragments (DNS flag day 2020)
constexpr Duration kLookAtConfig = 5s;
constexpr Duration kLeastWait = 1ms;

std::string words_for(int status) {
  switch (status) {
    case ARES_ETIMEOUT: return "no DNS server answered in time";
    // Older versions of c-ares do not tell these apart.
    case ARES_ECONNREFUSED:
      return "no DNS server has an answer: each cannot find out (SERVFAIL), refuses (REFUSED) or is not "
             "there";
    case ARES_ESERVFAIL: return "the DNS server cannot find out (SERVFAIL)";
    case ARES_EREFUSED: return "the DNS server refuses to answer (REFUSED)";
    default: return cat("the look-up failed (", ares_strerror(status), ")");
  }
}

// When the file was changed, and which file it is; empty: there is none.
std::string stamp_of(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return "";
  return cat(std::to_string(file.st_ino), " ", std::to_string(file.st_size), " ",
             std::to_string(file.st_mtim.tv_sec), ".", std::to_string(file.st_mtim.tv_nsec));
}

ares_addr_port_node server_node(const Endpoint& server) {
  ares_addr_port_node node{};
  node.family = server.address.is_v6() ? AF_INET6 : AF_INET;
  std::memcpy(&node.addr, server.address.bytes().data(), server.address.is_v6() ? 16 : 4);
  node.udp_port = node.tcp_port = server.port;
  return node;
}

}  // namespace

// Shared by the asking coroutine, which may give up, and c-ares, which cannot forget a single question.
struct StubResolver::Question {
  Question(io::Loop& loop, std::string asked, RecordType of_type)
      : waiter(loop), name(std::move(asked)), type(of_type) {}

  static void on_answer(void* argument, int status, int, unsigned char* bytes, int size) {
    auto self = std::move(static_cast<Question*>(argument)->until_answered);
    self->answer = bytes != nullptr && size > 0
                       ? parse_answer({bytes, static_cast<std::size_t>(size)}, self->name, self->type)
                       : failed(words_for(status));
    self->waiter.wake();
  }

  io::Waiter waiter;
  std::string name;
  RecordType type;
  std::optional<Answer> answer;
  std::shared_ptr<Question> until_answered;  // keeps itself for c-ares
};

// One set of servers. Lives until the last of its questions has been answered or given up; what c-ares still
// holds then is answered with a failure that nobody hears.
class StubResolver::Channel {
 public:
  Channel(io::Loop& loop, const StubOptions& options) : loop_(loop) {
    ares_options settings{};
    settings.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
    settings.ednspsz = kDatagram;
    settings.timeout =
        static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(options.timeout).count());
    settings.tries = options.tries;
    settings.udp_port = settings.tcp_port = options.port;
    settings.resolvconf_path = const_cast<char*>(options.resolv_conf.c_str());
    settings.sock_state_cb = on_socket;
    settings.sock_state_cb_data = this;
    status_ = ares_init_options(&channel_, &settings,
                                ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                    ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT | ARES_OPT_SOCK_STATE_CB |
                                    ARES_OPT_RESOLVCONF);
    if (status_ != ARES_SUCCESS || !options.server) return;
    ares_addr_port_node server = server_node(*options.server);
    status_ = ares_set_servers_ports(channel_, &server);
  }
  Channel(const Channel&) = delete;
  ~Channel() {
    if (channel_ != nullptr) ares_destroy(channel_);
    check(watches_.empty(), "c-ares left a socket behind");
  }

  int status() const { return status_; }

  void ask(const std::shared_ptr<Question>& question) {
    question->until_answered = question;
    ares_query(channel_, question->name.c_str(), C_IN, static_cast<int>(question->type), Question::on_answer,
               question.get());
  }

  // When keep_time() is due.
  Instant next_timeout() const {
    timeval left{};
    if (ares_timeout(channel_, nullptr, &left) == nullptr) return kNever;
    const Duration wait = std::chrono::seconds(left.tv_sec) + Duration(left.tv_usec);
    return loop_.now() + std::max(wait, kLeastWait);
  }
  void keep_time() { ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

 private:
  static void on_socket(void* argument, ares_socket_t socket, int reading, int writing) {
    auto& self = *static_cast<Channel*>(argument);
    if (reading == 0 && writing == 0) return void(self.watches_.erase(socket));
    auto& watch = self.watches_[socket];
    if (!watch)
      watch = std::make_unique<io::SocketWatch>(
          self.loop_, socket, [&self, socket](bool readable, bool writable) {
            ares_process_fd(self.channel_, readable ? socket : ARES_SOCKET_BAD,
                            writable ? socket : ARES_SOCKET_BAD);
          });
    watch->watch(reading != 0, writing != 0);
  }

  io::Loop& loop_;
  ares_channel channel_ = nullptr;
  int status_ = ARES_SUCCESS;
  std::map<ares_socket_t, std::unique_ptr<io::SocketWatch>> watches_;
};

StubResolver::StubResolver(io::Loop& loop, StubOptions options)
    : loop_(loop), options_(std::move(options)), answered_(loop) {}

StubResolver::~StubResolver() { check(asking_ == 0, "a resolver went under a question"); }

bool StubResolver::use_server(std::optional<Endpoint> server) {
  if (server == options_.server) return false;
  options_.server = server;
  channel_.reset();
  return true;
}

// A look at the file costs nothing, yet not for each of a thousand questions.
bool StubResolver::is_config_outdated() {
  if (channel_ && (options_.server || loop_.now() < looked_at_config_ + kLookAtConfig)) return false;
  looked_at_config_ = loop_.now();
  std::string stamp = stamp_of(options_.resolv_conf);
  return std::exchange(config_stamp_, stamp) != stamp;
}

std::shared_ptr<StubResolver::Channel> StubResolver::channel() {
  if (is_config_outdated() || !channel_) channel_ = std::make_shared<Channel>(loop_, options_);
  return channel_;
}

Task<Answer> StubResolver::look_up(std::string name, RecordType type, io::Until until) {
  while (asking_ >= kMostQuestions) {
    auto woken = co_await answered_.wait(until);
    if (woken != io::Woken::ready) co_return failed(io::to_error(woken).text);
  }
  ++asking_;
  auto answer = co_await ask(std::move(name), type, until);
  --asking_;
  answered_.notify();
  co_return answer;
}

Task<Answer> StubResolver::ask(std::string name, RecordType type, io::Until until) {
  auto through = channel();
  if (through->status() != ARES_SUCCESS) {
    channel_.reset();
    co_return failed(words_for(through->status()));
  }
  io::Loop::OutsideWork outside(loop_);
  auto question = std::make_shared<Question>(loop_, std::move(name), type);
  through->ask(question);
  while (!question->answer) {
    const Instant next = std::min(until.deadline, through->next_timeout());
    auto woken = co_await question->waiter.park({next, until.cancel});
    if (question->answer || woken == io::Woken::ready) continue;
    if (woken == io::Woken::cancelled || loop_.now() >= until.deadline)
      co_return failed(io::to_error(woken).text);
    through->keep_time();
  }
  co_return std::move(*question->answer);
}

}  // namespace hikyaku::dns
