// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "daemon/checkup/certificate_text.h"
#include "daemon/checkup/probe_report.h"

namespace hikyaku::checkup {
namespace {

JsonList json_of(const std::vector<dns::SrvRecord>& services) {
  JsonList list;
  for (const dns::SrvRecord& service : services)
    list.add(JsonObject()
                 .add("priority", service.priority)
                 .add("weight", service.weight)
                 .add("host", unless_empty(service.target))
                 .add("port", service.port));
  return list;
}

JsonObject json_of(const std::string& domain, const DomainRecords& records) {
  JsonList exchanges;
  for (const dns::MxRecord& record : records.mx.exchanges) exchanges.add(std::string_view(record.exchange));
  JsonList troubles;
  for (const dns::Answer* answer : {&records.submissions, &records.submission, &records.mx})
    if (!answer->trouble.empty()) troubles.add(std::string_view(answer->trouble));
  return JsonObject()
      .add("domain", std::string_view(domain))
      .add("submissions", json_of(records.submissions.services))
      .add("submission", json_of(records.submission.services))
      .add("mx", exchanges)
      .add("troubles", troubles);
}

std::optional<JsonObject> json_of(const std::optional<mail::Failure>& trouble) {
  if (!trouble) return std::nullopt;
  const auto reply = trouble->reply ? std::optional(mail::to_text(*trouble->reply)) : std::nullopt;
  return JsonObject()
      .add("kind", mail::to_text(trouble->kind))
      .add("stage", mail::to_text(trouble->stage))
      .add("reply", reply)
      .add("text", std::string_view(explain(*trouble)));
}

JsonObject json_of(const mail::Capabilities& offer) {
  return JsonObject()
      .add("mechanisms", JsonList(offer.mechanisms))
      .add("starttls", offer.starttls)
      .add("pipelining", offer.pipelining)
      .add("chunking", offer.chunking)
      .add("8bitmime", offer.eight_bit_mime)
      .add("smtputf8", offer.smtputf8)
      .add("dsn", offer.dsn)
      .add("size", offer.size ? std::optional(offer.max_size) : std::nullopt);
}

std::optional<JsonObject> json_of(const std::optional<io::TlsInfo>& tls) {
  if (!tls) return std::nullopt;
  JsonObject object;
  object.add("version", std::string_view(tls->version))
      .add("cipher", std::string_view(tls->cipher))
      .add("verified", tls->verified)
      .add("verdict", std::string_view(tls->verdict));
  if (tls->certificate) object.add("certificate", certificate_json(*tls->certificate));
  return object;
}

JsonObject json_of(const PortFinding& finding) {
  const bool was_heard_in_clear = finding.opening == Opening::starttls || finding.opening == Opening::clear;
  return JsonObject()
      .add("port", finding.port)
      .add("opening", to_text(finding.opening))
      .add("address", unless_empty(finding.address))
      .add("greeting", unless_empty(finding.greeting))
      .add("round_trip_us", finding.round_trip.count())
      .add("in_clear", was_heard_in_clear ? std::optional(json_of(finding.in_clear)) : std::nullopt)
      .add("tls", json_of(finding.tls))
      .add("in_tls", finding.is_encrypted() ? std::optional(json_of(finding.in_tls)) : std::nullopt)
      .add("trouble", json_of(finding.trouble));
}

JsonObject json_of(const HostFinding& host) {
  JsonList ports;
  for (const PortFinding& finding : host.ports) ports.add(json_of(finding));
  return JsonObject()
      .add("host", std::string_view(host.place.host))
      .add("origin", to_text(host.place.origin))
      .add("preset", unless_empty(host.place.preset))
      .add("ports", ports);
}

std::optional<JsonObject> json_of(const std::optional<Recommendation>& choice, const std::string& user) {
  if (!choice) return std::nullopt;
  return JsonObject()
      .add("host", std::string_view(choice->host))
      .add("port", choice->port)
      .add("tls", word_for(choice->tls))
      .add("mechanisms", JsonList(choice->mechanisms))
      .add("origin", to_text(choice->origin))
      .add("preset", unless_empty(choice->preset))
      .add("max_size", choice->max_size)
      .add("why", std::string_view(choice->why))
      .add("yaml", std::string_view(smarthost_yaml(*choice, user)))
      .add("openssl", std::string_view(openssl_command(*choice)));
}

std::optional<JsonObject> json_of(const std::optional<LoginFinding>& login) {
  if (!login) return std::nullopt;
  return JsonObject()
      .add("user", std::string_view(login->user))
      .add("mechanism", unless_empty(login->mechanism))
      .add("succeeded", !login->trouble.has_value())
      .add("trouble", json_of(login->trouble));
}

}  // namespace

JsonObject to_json_object(const ProbeResult& result) {
  JsonList hosts;
  for (const HostFinding& host : result.hosts) hosts.add(json_of(host));
  const auto records =
      result.records ? std::optional(json_of(result.target.domain, *result.records)) : std::nullopt;
  return JsonObject()
      .add("dns", records)
      .add("hosts", hosts)
      .add("recommended", json_of(result.choice.recommended, result.user()))
      .add("unconfirmed", json_of(result.choice.unconfirmed, result.user()))
      .add("login", json_of(result.login));
}

}  // namespace hikyaku::checkup
