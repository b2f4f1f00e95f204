// SPDX-License-Identifier: MIT
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/alias_file.h"

namespace hikyaku::mail {
namespace {

constexpr std::size_t kNamesShown = 5;
constexpr std::size_t kNameShown = 40;

// Searches the table depth first, without recursion, because entries may nest as deeply as the file is long.
// Visits each entry and each target once.
class LoopHunt {
 public:
  LoopHunt(Aliases& aliases, std::vector<AliasProblem>& problems) : aliases_(aliases), problems_(problems) {}

  void from(const std::string& name, AliasTargets& targets) {
    enter(name, targets);
    while (!path_.empty()) {
      Step& step = path_.back();
      if (step.next == step.targets->size())
        leave();
      else
        look_at(step);
    }
  }

 private:
  enum class State : std::uint8_t { unseen, on_path, done };
  struct Mark {
    State state = State::unseen;
    std::size_t depth = 0;  // its position on the path
  };
  struct Step {
    const std::string* name;
    AliasTargets* targets;
    std::size_t next = 0;  // index of the next target
  };

  void enter(const std::string& name, AliasTargets& targets) {
    Mark& mark = marks_[&targets];
    if (mark.state != State::unseen) return;
    mark = {State::on_path, path_.size()};
    path_.push_back({&name, &targets});
  }
  void leave() {
    AliasTargets& targets = *path_.back().targets;
    marks_[&targets].state = State::done;
    std::erase_if(targets, [](const AliasTarget& target) { return target.text.empty(); });
    path_.pop_back();
  }
  void look_at(Step& step) {
    AliasTarget& target = (*step.targets)[step.next++];
    auto further = target.kind == AliasTargetKind::name ? aliases_.entries().find(alias_key(target.text))
                                                        : aliases_.entries().end();
    if (further == aliases_.entries().end()) return;
    Mark mark = marks_[&further->second];
    if (mark.state != State::on_path) return enter(further->first, further->second);
    problems_.push_back({target.line, describe(mark.depth)});
    target.text.clear();
  }
  // The names of the loop, from the entry that was met again.
  std::string describe(std::size_t depth) const {
    std::string names;
    std::size_t end = std::min(path_.size(), depth + kNamesShown);
    for (std::size_t at = depth; at < end; ++at) names += cat(quoting(*path_[at].name), " leads to ");
    if (end < path_.size()) names += "others, which lead to ";
    return cat(names, quoting(*path_[depth].name), " again; remove one of these aliases");
  }
  static std::string quoting(const std::string& name) { return cat("`", printable(name, kNameShown), "`"); }

  Aliases& aliases_;
  std::vector<AliasProblem>& problems_;
  std::unordered_map<const AliasTargets*, Mark> marks_;
  std::vector<Step> path_;
};

}  // namespace

void take_out_loops(Aliases& aliases, std::vector<AliasProblem>& problems) {
  LoopHunt hunt(aliases, problems);
  for (auto& [name, targets] : aliases.entries()) hunt.from(name, targets);
  std::erase_if(aliases.entries(), [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace hikyaku::mail
