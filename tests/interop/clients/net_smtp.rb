# SPDX-License-Identifier: MIT
# Ruby's Net::SMTP, as Rails uses it, sends the message in the file MESSAGE.
#   ruby net_smtp.rb HOST PORT MESSAGE
require 'net/smtp'

host, port, file = ARGV
Net::SMTP.start(host, port.to_i, helo: 'client.interop.test') do |smtp|
  smtp.send_message(File.binread(file), 'me@example.com', 'you@dest.example', 'her@dest.example')
end
