<?php
// SPDX-License-Identifier: MIT
// mail() with the program that PHP takes by itself.
// mail.php TO SUBJECT ATTACHMENT < TEXT
[, $to, $subject, $attachment] = $argv;
$edge = 'edge-of-a-part';
$text = chunk_split(base64_encode(stream_get_contents(STDIN)), 76, "\n");
$data = chunk_split(base64_encode(file_get_contents($attachment)), 76, "\n");
$body = "--$edge\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: base64\n\n$text\n"
  . "--$edge\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=data.bin\n"
  . "Content-Transfer-Encoding: base64\n\n$data\n--$edge--\n";
$headers = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=$edge";
$encoded = mb_encode_mimeheader($subject, 'UTF-8', 'B', "\n");
exit(mail($to, $encoded, $body, $headers, '-fphp@example.com') ? 0 : 1);
