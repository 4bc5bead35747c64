#!/bin/sh
# Archive a folder, check the archive and list the pictures that came out worst.
#
#     archive_and_check.sh PHOTOS ARCHIVE
#
# Ends with the exit code of the first step that did not end with 0: docs/scripting.md says what each means.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: archive_and_check.sh PHOTOS ARCHIVE" >&2
    exit 2
fi
photos=$1 archive=$2

batchcomp compress "$photos" -o "$archive" --quiet
batchcomp verify "$archive" --sources "$photos"
batchcomp report "$archive" --worst 5
