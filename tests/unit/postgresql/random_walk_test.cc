// SPDX-License-Identifier: MIT
// Seeded histories of two nodes and a database: mail comes in at either, is sent, refused or late; wires are cut and lose
// answers and rings, nodes die and come back. Nothing that was acknowledged is lost, no two nodes may ever send the same
// mail, and each mail that was refused or late has exactly one notice.
#include <doctest/doctest.h>

#include <array>
#include <random>

#include "tests/unit/postgresql/sim_node.h"

namespace hikyaku::test {
namespace {

constexpr int kSteps = 25;
constexpr std::string_view kGood = "hello\r\n";

using Mutation = std::function<void(SimServer&, SimNode&)>;

class History {
 public:
  explicit History(unsigned seed) : dice_(seed) {
    for (SimNode* node : {&left_, &right_}) {
      node->wire.delay = node->lease_wire.delay = node->bell_wire.delay = [this] { return up_to(slowness_); };
      node->smarthost = [this] { return up_to(2s); };
      node->options.memory = node == &left_ ? 8_MiB : 4_KiB;  // for hardly any mail that has just come
      node->stall = [this, node] { return up_to(node->options.lease.lease / 6); };
      node->on_dot = [this, node](mail::MailId id) {
        doubles_ += other(node).may_send(id) ? 1 : 0;
        strangers_ += server_.has_living_owner(id) ? 0 : 1;
      };
    }
  }

  // What went wrong; empty: nothing. In a mutant something should.
  std::string run(const Mutation& mutate) {
    mutate(server_, left_);
    mutate(server_, right_);
    loop_.run(walk());
    std::string wrong;
    auto require = [&wrong](bool is_right, const char* what) {
      if (!is_right) wrong += wrong.empty() ? what : std::string(", ") + what;
    };
    require(doubles_ == 0, "a mail might have been sent by two nodes at once");
    require(strangers_ == 0, "a mail was sent after the lease had run out");
    require(server_.mails.empty(), "mail was left");
    for (mail::MailId id : acknowledged_[kGood]) require(sent_[id].dots >= 1, "a mail was lost");
    for (mail::MailId id : acknowledged_[kLate])
      require(sent_[id].dots >= 1, "a mail that was late was lost");
    for (mail::MailId id : acknowledged_[kBad]) require(sent_[id].dots == 0, "a refused mail was sent");
    for (std::string_view kind : {kBad, kLate})
      for (mail::MailId id : acknowledged_[kind])
        require(notices_about(id).size() == 1, "a notice is missing");
    for (const auto& [id, sent] : sent_) require(sent.dots <= 1 + sent.excused, "a mail was sent twice");
    for (const auto& [about, notices] : server_.notices) {
      require(notices.size() == 1, "there were two notices");
      for (std::int64_t id : notices)
        require(sent_[{static_cast<std::uint64_t>(id)}].dots >= 1, "a notice was lost");
    }
    return wrong;
  }

 private:
  Task<void> walk() {
    co_await left_.start();
    co_await right_.start();
    for (int step = 0; step < kSteps; ++step) {
      SimNode& node = roll(2) == 0 ? left_ : right_;
      switch (roll(10)) {
        case 0: node.cut(!node.wire.is_cut); break;
        case 1: node.wire.lose_answers = roll(4); break;
        case 2: slowness_ = up_to(300ms); break;
        case 3: co_await restart(node, roll(2) == 0); break;
        case 4: node.bell_wire.loses_rings = !node.bell_wire.loses_rings; break;
        case 5: node.lease_wire.lose_answers = roll(12); break;
        default: submit(node, std::array{kGood, kGood, kBad, kLate}[static_cast<std::size_t>(roll(4))]);
      }
      co_await io::sleep_until(loop_, loop_.within(up_to(roll(3) == 0 ? 9s : 1s)));
    }
    co_await settle();
  }

  void submit(SimNode& node, std::string_view content) {
    node.submit(std::string(content), acknowledged_[content]);
  }

  Task<void> restart(SimNode& node, bool is_crash) {
    node.cut(is_crash);
    co_await node.stop();
    mend(node);
    co_await node.start();
  }

  void mend(SimNode& node) {
    node.cut(false);
    node.wire.lose_answers = node.lease_wire.lose_answers = 0;
  }

  // Until nobody waits for an answer, and there is nothing left.
  Task<void> settle() {
    for (SimNode* node : {&left_, &right_}) mend(*node);
    for (int rounds = 0; rounds < 180 && !is_quiet(); ++rounds)
      co_await io::sleep_until(loop_, loop_.within(1s));
    co_await left_.stop();
    co_await right_.stop();
  }

  const std::vector<std::int64_t>& notices_about(mail::MailId id) {
    return server_.notices[static_cast<std::int64_t>(id.value)];
  }
  bool is_quiet() const { return server_.mails.empty() && left_.clients() + right_.clients() == 0; }
  SimNode& other(const SimNode* node) { return node == &left_ ? right_ : left_; }
  int roll(int sides) { return static_cast<int>(dice_() % static_cast<unsigned>(sides)); }
  Duration up_to(Duration most) {
    return Duration(static_cast<std::int64_t>(dice_() % 1'000'000) * most.count() / 1'000'000);
  }

  std::mt19937 dice_;
  ManualClock clock_;
  io::Loop loop_{clock_};
  SimServer server_{loop_};
  SentMails sent_;
  Duration slowness_ = 1ms;
  SimNode left_{loop_, server_, sent_}, right_{loop_, server_, sent_};
  std::map<std::string_view, std::set<mail::MailId>> acknowledged_;  // by their content
  int doubles_ = 0, strangers_ = 0;
};

}  // namespace

TEST_CASE(
    "shared spool: in every history of two nodes nothing is lost, and nothing sent by both but final dots "
    "under way") {
  for (unsigned seed = 1; seed <= HIKYAKU_HISTORIES; ++seed) {
    CAPTURE(seed);
    CHECK(History(seed).run([](const SimServer&, const SimNode&) {}) == "");
  }
}

// Without it the histories above would prove nothing about it.
TEST_CASE(
    "shared spool: what keeps nodes off each other's mail, and none forgotten, is missed when left out") {
  auto without = [](Clause clause) {
    return [clause](SimServer& server, const SimNode&) { server.left_out = clause; };
  };
  auto with_margin = [](Duration margin) {
    return [margin](const SimServer&, SimNode& node) { node.options.lease.margin = margin; };
  };
  const std::pair<std::string, Mutation> mutants[] = {
      {"finish: whose mail it is", without(Clause::owner_in_finish)},
      {"record: whose mail it is", without(Clause::owner_in_record)},
      {"notice: whose mail it is about", without(Clause::owner_in_notice)},
      {"the margin before a final dot", with_margin(0s)},
      {"the node's own look at its lease", with_margin(-1h)},
      {"the second run after a lost COMMIT",
       [](SimServer&, SimNode& node) { node.wire.believes_lost = true; }},
      {"the look for mail whose fate is unknown", without(Clause::rows_of_owned)},
  };
  constexpr unsigned kMost = 400;
  for (const auto& [name, mutate] : mutants) {
    CAPTURE(name);
    std::string wrong;
    for (unsigned seed = 1; seed <= kMost && wrong.empty(); ++seed) wrong = History(seed).run(mutate);
    CHECK_FALSE(wrong.empty());
  }
}

}  // namespace hikyaku::test
