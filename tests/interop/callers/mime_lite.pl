# SPDX-License-Identifier: MIT
# MIME::Lite, which calls /usr/lib/sendmail -t -oi -oem by itself, and takes From for -f.
# mime_lite.pl TO SUBJECT ATTACHMENT < TEXT
use strict;
use warnings;
use Encode qw(decode encode);
use MIME::Lite;

my ($to, $subject, $attachment) = @ARGV;
local $/;
my $message = MIME::Lite->new(From => 'lite@example.com', To => $to, Type => 'multipart/mixed',
  Subject => encode('MIME-Header', decode('UTF-8', $subject)));
$message->attach(Type => 'text/plain; charset=UTF-8', Encoding => '8bit', Data => scalar <STDIN>);
$message->attach(Type => 'application/octet-stream', Path => $attachment, Filename => 'data.bin',
  Disposition => 'attachment', Encoding => 'base64');
$message->send or die 'not sent';
