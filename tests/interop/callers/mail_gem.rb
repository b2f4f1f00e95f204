# SPDX-License-Identifier: MIT
# The mail gem with :sendmail.
# mail_gem.rb TO SUBJECT ATTACHMENT < TEXT
require 'mail'

to, subject, attachment = ARGV
text = $stdin.read.force_encoding('UTF-8')
mail = Mail.new(charset: 'UTF-8') do
  from 'ruby@example.com'
  to to
  subject subject
  body text
  add_file filename: 'data.bin', content: File.binread(attachment)
end
mail.delivery_method :sendmail
mail.deliver!
