#!/usr/bin/env perl
# Writes case_fold.txt: Unicode's simple case folding as Perl's copy of CaseFolding.txt has it.
#
# "FROM TO": a character and its folding, in hex. "- FIRST LAST": characters that this version of
# Unicode does not know, so that a later one may fold them.
use strict;
use warnings;
use Unicode::UCD qw(casefold);

# Unicode 15.1 gave simple foldings to three characters that had only full ones.
my %later = (0x1FD3 => 0x0390, 0x1FE3 => 0x03B0, 0xFB05 => 0xFB06);

open(my $out, '>', ($0 =~ s{[^/]*$}{}r) . 'case_fold.txt') or die "case_fold.txt: $!";
my $unknown;
for my $c (0 .. 0x110000) {
  my $is_unknown = $c <= 0x10FFFF && !($c >= 0xD800 && $c <= 0xDFFF) && chr($c) =~ /\p{Unassigned}/;
  if ($is_unknown) {
    $unknown //= $c;
    next;
  }
  printf $out "- %X %X\n", $unknown, $c - 1 if defined $unknown;
  undef $unknown;
  next if $c > 0x10FFFF;
  my $fold = casefold($c);
  my $to = $later{$c} // ($fold && $fold->{simple} ? hex $fold->{simple} : $c);
  printf $out "%X %X\n", $c, $to if $to != $c;
}
close $out;
print "Unicode ", Unicode::UCD::UnicodeVersion(), "\n";
