#!/bin/sh
# Archive a folder of photos and mail what happened, unless all is well.
#
#   nightly.sh PHOTOS ARCHIVE [OPTIONS of batchcomp compress]
#
# MAILTO        who gets the mail                    (root)
# MAILER        called as MAILER -s SUBJECT MAILTO,  (mail)
#               the text on its standard input
# BATCHCOMP     the program                          (batchcomp)
#
# The exit code is that of batchcomp. A mail that cannot be sent is said on stderr, where cron finds it.
set -u

if [ "$#" -lt 2 ]; then
    echo "usage: nightly.sh PHOTOS ARCHIVE [OPTIONS]" >&2
    exit 2
fi
photos=$1 archive=$2
shift 2

said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT
# A run that is stopped (shutdown, kill) stops batchcomp too, which then finishes its open segment.
run=
trap '[ -z "$run" ] || kill -TERM "$run" 2>/dev/null' TERM INT

"${BATCHCOMP:-batchcomp}" compress "$photos" -o "$archive" --quiet "$@" >"$said" 2>&1 &
run=$!
wait "$run"
code=$?
while kill -0 "$run" 2>/dev/null; do # a signal ended the first wait
    wait "$run"
    code=$?
done

case $code in
0) exit 0 ;;
3) what="some files failed" ;;
4) what="THE ARCHIVE IS DAMAGED" ;;
10) what="there is no archive" ;;
11) what="another run is writing to the archive" ;;
130 | 143) what="interrupted" ;;
*) what="failed" ;;
esac

{
    echo "batchcomp compress $photos -o $archive"
    echo "ended with exit code $code: $what."
    echo
    # the first lines say most; a mail of a million lines helps nobody
    head -n 200 "$said"
} | "${MAILER:-mail}" -s "batchcomp on $(uname -n): $what ($code)" "${MAILTO:-root}" ||
    echo "nightly.sh: the mail could not be sent; batchcomp ended with exit code $code: $what" >&2

exit "$code"
