<?php
// SPDX-License-Identifier: MIT
// Symfony Mailer: a session on standard input and output (-bs), or with `command` a message with -t.
// symfony.php DSN TO SUBJECT ATTACHMENT < TEXT
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';

use Symfony\Component\Mailer\Mailer;
use Symfony\Component\Mailer\Transport;
use Symfony\Component\Mime\Email;

[, $dsn, $to, $subject, $attachment] = $argv;
$email = (new Email())->from('symfony@example.com')->to($to)->subject($subject)
  ->text(stream_get_contents(STDIN))->attachFromPath($attachment, 'data.bin');
(new Mailer(Transport::fromDsn($dsn)))->send($email);
