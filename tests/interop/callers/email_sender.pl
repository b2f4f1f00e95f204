# SPDX-License-Identifier: MIT
# Email::Sender with its sendmail transport.
# email_sender.pl TO SUBJECT ATTACHMENT < TEXT
use strict;
use warnings;
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::Sendmail;
use Encode qw(decode encode);
use MIME::Base64;

my ($to, $subject, $attachment) = @ARGV;
local $/;
my $text = <STDIN>;
open my $file, '<:raw', $attachment or die;
my $data = <$file>;
my $edge = 'edge-of-a-part';
my @header = ('From: perl@example.com', "To: $to", 'Subject: ' . encode('MIME-Header', decode('UTF-8', $subject)),
  'MIME-Version: 1.0', "Content-Type: multipart/mixed; boundary=$edge");
my @parts = (
  "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n$text",
  "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=data.bin\n"
    . "Content-Transfer-Encoding: base64\n\n" . encode_base64($data));
my $message = join("\n", @header) . "\n\n" . join('', map { "--$edge\n$_\n" } @parts) . "--$edge--\n";
sendmail($message, { transport => Email::Sender::Transport::Sendmail->new });
