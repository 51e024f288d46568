#!/bin/sh
# The demonstration behind `make demo`: publish the examples, pull one partner's bundle back, verify it, say where it is.
# In: DEST (where the bundle goes), AS_OF (the day), SYNDICATION_STORE (where to publish, a folder below build/ by default).
set -eu
store=${SYNDICATION_STORE:-build/demo/store}
python=.venv/bin/python
mkdir -p build/demo "$(dirname "$DEST")"

keys=examples/build/keys
if [ ! -f "$keys/root.json" ]; then
  echo "Making keys for this demonstration in $keys (once)"
  rm -rf build/demo/store # what other keys signed
  "$python" run_pipeline.py keys init --config examples/syndication.toml
fi

echo "1. Publishing examples/ to $store as of $AS_OF"
"$python" run_pipeline.py run --config examples/syndication.toml --store "$store" --as-of "$AS_OF"
case "$store" in s3://*) rm -rf "$DEST" "$DEST.d" ;; esac # a new server each time: its history starts anew
echo "2. Pulling what the partner riverside gets"
"$python" run_pipeline.py pull "$store" "$DEST" --partner riverside --root "$keys/root.json"
echo "3. Verifying it"
"$python" run_pipeline.py verify "$DEST"

count() { find "$DEST/" -name "$1" | wc -l | tr -d ' '; }
echo
echo "Made $(count index.html) web pages, $(count print.html) print pages, $(count '*.epub') EPUBs, $(count '*.txt') text files and" \
  "$(count topic.json) JSON files for Riverside Health."
echo "Open this file in a browser: $(pwd)/$DEST/index.html"
