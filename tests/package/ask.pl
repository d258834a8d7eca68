# SPDX-License-Identifier: MIT
# ask.pl ADDRESS: the one question, at host:port or a path; prints the answer's head and body.
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;

my $address = shift;
my $sock = $address =~ m{^/} ? IO::Socket::UNIX->new(Peer => $address)
    : IO::Socket::INET->new(PeerAddr => $address);
die "$address: $!\n" unless $sock;
my $body = '{"inputs": "Good morning."}';
print $sock "POST /models/t5-base HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n" .
    "Content-Length: " . length($body) . "\r\n\r\n$body";
print while <$sock>;
