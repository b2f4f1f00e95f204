// SPDX-License-Identifier: MIT
// PostgreSQL's client library, loaded when somebody uses a shared spool and not before: whoever does not, need not have
// it. The functions have their own types, so that the compiler checks each call; none of them may block.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>

#include "daemon/base/error.h"

namespace hikyaku::postgresql {

struct Libpq {
  decltype(&::PQconninfoParse) parse_url;
  decltype(&::PQconninfoFree) free_options;
  decltype(&::PQconnectStartParams) connect_start;
  decltype(&::PQconnectPoll) connect_poll;
  decltype(&::PQfinish) finish;
  decltype(&::PQstatus) status;
  decltype(&::PQsocket) socket;
  decltype(&::PQerrorMessage) error_message;
  decltype(&::PQsetnonblocking) set_nonblocking;
  decltype(&::PQenterPipelineMode) enter_pipeline;
  decltype(&::PQsendPrepare) send_prepare;
  decltype(&::PQsendQueryPrepared) send_prepared;
  decltype(&::PQpipelineSync) sync;
  decltype(&::PQflush) flush;
  decltype(&::PQconsumeInput) consume_input;
  decltype(&::PQisBusy) is_busy;
  decltype(&::PQgetResult) get_result;
  decltype(&::PQresultStatus) result_status;
  decltype(&::PQresultErrorField) error_field;
  decltype(&::PQntuples) rows;
  decltype(&::PQnfields) columns;
  decltype(&::PQgetisnull) is_null;
  decltype(&::PQgetvalue) value;
  decltype(&::PQgetlength) length;
  decltype(&::PQclear) clear;
  decltype(&::PQfreemem) free_memory;
  decltype(&::PQsetNoticeProcessor) set_notice_processor;
  decltype(&::PQnotifies) notifies;
  decltype(&::PQbackendPID) backend;
};

// The same one each time, from any thread. Fails with what to install.
Result<const Libpq*, std::string> libpq();

using Connected = std::unique_ptr<PGconn, decltype(&::PQfinish)>;
using Received = std::unique_ptr<PGresult, decltype(&::PQclear)>;

}  // namespace hikyaku::postgresql
