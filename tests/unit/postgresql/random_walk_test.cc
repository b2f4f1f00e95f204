// SPDX-License-Identifier: MIT
// Seeded histories of two nodes and a database: mail comes in at either, wires are cut and lose answers, nodes die and
// come back. Nothing that was acknowledged is lost, and no two nodes may ever send the same mail.
#include <doctest/doctest.h>

#include <random>

#include "tests/unit/postgresql/sim_node.h"

namespace hikyaku::test {
namespace {

constexpr int kSteps = 25;

class History {
 public:
  explicit History(unsigned seed) : dice_(seed) {
    for (SimNode* node : {&left_, &right_}) {
      node->wire.delay = [this] { return up_to(slowness_); };
      node->smarthost = [this] { return up_to(2s); };
      node->on_dot = [this, node](mail::MailId id) { doubles_ += other(node).may_send(id) ? 1 : 0; };
    }
  }

  void run() {
    loop_.run(walk());
    CHECK(doubles_ == 0);
    for (mail::MailId id : acknowledged_) CHECK(sent_[id].dots >= 1);
    for (const auto& [id, sent] : sent_) CHECK(sent.dots <= 1 + sent.excused);
    CHECK(server_.mails.empty());
  }

 private:
  Task<void> walk() {
    co_await left_.start();
    co_await right_.start();
    for (int step = 0; step < kSteps; ++step) {
      SimNode& node = roll(2) == 0 ? left_ : right_;
      switch (roll(8)) {
        case 0: node.wire.is_cut = !node.wire.is_cut; break;
        case 1: node.wire.lose_answers = roll(4); break;
        case 2: slowness_ = up_to(300ms); break;
        case 3: co_await restart(node, roll(2) == 0); break;
        default: node.submit("hello\r\n", acknowledged_);
      }
      co_await io::sleep_until(loop_, loop_.within(up_to(roll(3) == 0 ? 9s : 1s)));
    }
    co_await settle();
  }

  Task<void> restart(SimNode& node, bool is_crash) {
    node.wire.is_cut = is_crash;
    co_await node.stop();
    node.wire.is_cut = false;
    node.wire.lose_answers = 0;
    co_await node.start();
  }

  // Until nobody waits for an answer, and there is nothing left.
  Task<void> settle() {
    for (SimNode* node : {&left_, &right_}) node->wire.is_cut = false, node->wire.lose_answers = 0;
    for (int rounds = 0; rounds < 120 && !is_quiet(); ++rounds)
      co_await io::sleep_until(loop_, loop_.within(1s));
    co_await left_.stop();
    co_await right_.stop();
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
  std::set<mail::MailId> acknowledged_;
  int doubles_ = 0;
};

}  // namespace

TEST_CASE(
    "shared spool: in every history of two nodes nothing is lost, and nothing sent by both but final dots "
    "under way") {
  for (unsigned seed = 1; seed <= HIKYAKU_HISTORIES; ++seed) {
    CAPTURE(seed);
    History(seed).run();
  }
}

}  // namespace hikyaku::test
