// SPDX-License-Identifier: MIT
// Where Postfix sends mail, as smarthosts, routes and log-ins: relayhost, the maps by sender and by recipient,
// smtp_sasl_* and smtp_tls_*. Pure but for ReadText.
#pragma once

#include "daemon/import/imported.h"
#include "daemon/import/postfix_parameters.h"

namespace hikyaku::importing {

void import_postfix_smarthosts(const PostfixParameters& parameters, const ReadText& read, Imported& imported);

// The names of the parameters that this looks at.
bool is_about_postfix_smarthosts(std::string_view parameter);

}  // namespace hikyaku::importing
