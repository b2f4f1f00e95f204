// SPDX-License-Identifier: MIT
#include "daemon/mail/envelope_json.h"

namespace hikyaku::mail {
namespace {

JsonList to_list(const Notify& notify) {
  JsonList words;
  if (notify.never) words.add("never");
  if (notify.success) words.add("success");
  if (notify.failure) words.add("failure");
  if (notify.delay) words.add("delay");
  return words;
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
