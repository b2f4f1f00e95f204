// SPDX-License-Identifier: MIT
#include "daemon/checkup/report.h"

#include <array>
#include <cstdio>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/checkup/certificate_text.h"
#include "daemon/mail/diagnosis.h"

namespace hikyaku::checkup {
namespace {

constexpr std::string_view kIndent = "                       ";  // below a step's text

std::string_view name_of(mail::Stage stage) {
  switch (stage) {
    case mail::Stage::lookup: return "look-up";
    case mail::Stage::connect: return "connection";
    case mail::Stage::greeting: return "greeting";
    case mail::Stage::tls: return "TLS";
    case mail::Stage::ehlo: return "EHLO";
    case mail::Stage::auth: return "log-in";
    case mail::Stage::mail:
    case mail::Stage::rcpt: return "addresses";
    case mail::Stage::data:
    case mail::Stage::message: return "test mail";
  }
  std::unreachable();
}

std::string seconds(Duration took) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%.3fs", static_cast<double>(took.count()) / 1e6);
  return text.data();
}

std::string padded(std::string text, std::size_t width, bool to_the_right = false) {
  if (text.size() >= width) return text;
  const std::string blanks(width - text.size(), ' ');
  return to_the_right ? blanks + text : text + blanks;
}

Step failed_step(const mail::Failure& failure, WallTime now) {
  Step step{.name = std::string(name_of(failure.stage)), .text = mail::diagnose(failure), .failed = true};
  if (failure.certificate) step.more = certificate_lines(*failure.certificate, now);
  return step;
}

JsonObject json_of(const Step& step) {
  return JsonObject()
      .add("step", step.name)
      .add("ok", !step.failed)
      .add("milliseconds", std::chrono::duration_cast<std::chrono::milliseconds>(step.took).count())
      .add("text", step.text)
      .add("details", JsonList(step.more));
}

JsonObject json_of(const mail::Failure& failure) {
  return JsonObject()
      .add("stage", mail::to_text(failure.stage))
      .add("kind", mail::to_text(failure.kind))
      .add("diagnosis", mail::diagnose(failure));
}

}  // namespace

void Journal::add(Step step) {
  const Instant now = clock_.now();
  step.took = now - std::exchange(since_, now);
  if (tell_) tell_(step);
  steps_.push_back(std::move(step));
}

void Journal::pass(std::string name, std::string text, std::vector<std::string> more) {
  add({.name = std::move(name), .text = std::move(text), .more = std::move(more)});
}

void Journal::fail(const mail::Failure& failure) { add(failed_step(failure, wall())); }

void Journal::fail_once(const mail::Failure& failure) {
  Step step = failed_step(failure, wall());
  step.more.emplace_back("another connection is tried, as the daemon would");
  add(std::move(step));
}

std::string to_text(const Step& step) {
  std::string text = cat("  ", step.failed ? "FAILED" : "ok    ", padded(seconds(step.took), 9, true), "  ",
                         padded(step.name, 12), step.text, "\n");
  for (const std::string& line : step.more) text += cat(kIndent, line, "\n");
  return text;
}

std::string verdict_text(const Report& report) {
  std::string text;
  for (const std::string& warning : report.warnings) text += cat("  warning: ", warning, "\n");
  return cat(text, report.failure ? "  mail cannot be sent through " : "  mail can be sent through ",
             printable(report.smarthost), "\n");
}

JsonObject to_json_object(const Report& report) {
  JsonList steps;
  for (const Step& step : report.steps) steps.add(json_of(step));
  auto json = [](const auto& value) { return value ? std::optional(json_of(*value)) : std::nullopt; };
  return JsonObject()
      .add("smarthost", report.smarthost)
      .add("host", report.host)
      .add("port", report.port)
      .add("usable", !report.failure)
      .add("steps", steps)
      .add("certificate",
           report.certificate ? std::optional(certificate_json(*report.certificate)) : std::nullopt)
      .add("warnings", JsonList(report.warnings))
      .add("failure", json(report.failure));
}

}  // namespace hikyaku::checkup
