// SPDX-License-Identifier: MIT
#include "daemon/mail/envelope.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

struct NotifyWord {
  std::string_view word;
  bool Notify::* flag;
};
constexpr NotifyWord kNotifyWords[] = {{"NEVER", &Notify::never},
                                       {"SUCCESS", &Notify::success},
                                       {"FAILURE", &Notify::failure},
                                       {"DELAY", &Notify::delay}};

std::vector<std::string> words_of(const Notify& notify) {
  std::vector<std::string> words;
  for (const NotifyWord& known : kNotifyWords)
    if (notify.*known.flag) words.emplace_back(known.word);
  return words;
}

bool set_flag(Notify& notify, std::string_view word) {
  const auto* known = std::ranges::find_if(
      kNotifyWords, [&](const NotifyWord& one) { return equals_ignoring_case(one.word, word); });
  if (known == std::end(kNotifyWords)) return false;
  notify.*known->flag = true;
  return true;
}

JsonList to_list(const Notify& notify) {
  JsonList list;
  for (const std::string& word : words_of(notify)) list.add(to_lower(word));
  return list;
}

std::optional<std::string_view> to_word(Ret ret) {
  switch (ret) {
    case Ret::absent: break;
    case Ret::full: return "full";
    case Ret::headers: return "headers";
  }
  return std::nullopt;
}

std::optional<std::string_view> to_word(Body body) {
  switch (body) {
    case Body::absent: break;
    case Body::seven_bit: return "7BIT";
    case Body::eight_bit_mime: return "8BITMIME";
  }
  return std::nullopt;
}

}  // namespace

std::string to_text(const Notify& notify) { return join(words_of(notify), ","); }

std::optional<Notify> parse_notify(std::string_view value) {
  Notify notify;
  auto words = split(value, ',');
  for (std::string_view word : words)
    if (!set_flag(notify, trim(word))) return std::nullopt;
  if (notify.never && words.size() > 1) return std::nullopt;
  return notify;
}

JsonObject dsn_json(const Recipient& recipient) {
  return JsonObject().add("notify", to_list(recipient.notify)).add("orcpt", unless_empty(recipient.orcpt));
}

JsonObject parameters_json(const Envelope& envelope) {
  return JsonObject()
      .add("ret", to_word(envelope.ret))
      .add("envid", unless_empty(envelope.envid))
      .add("body", to_word(envelope.body))
      .add("smtputf8", envelope.smtputf8)
      .add("uid", envelope.uid);
}

}  // namespace hikyaku::mail
