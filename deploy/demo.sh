#!/bin/sh
# The demonstration behind `make demo`: publish the examples, pull one partner's bundle back, verify it, say where it is.
# In: DEST (where the bundle goes), AS_OF (the day), SYNDICATION_STORE (where to publish, a folder below build/ by default).
set -eu
store=${SYNDICATION_STORE:-build/demo/store}
python=.venv/bin/python
mkdir -p build/demo "$(dirname "$DEST")"

echo "1. Publishing examples/ to $store as of $AS_OF"
"$python" run_pipeline.py run --config examples/syndication.toml --store "$store" --as-of "$AS_OF"
echo "2. Pulling what the partner riverside gets"
"$python" run_pipeline.py pull "$store" "$DEST" --partner riverside
echo "3. Verifying it"
"$python" run_pipeline.py verify "$DEST"

count() { find "$DEST/" -name "$1" | wc -l | tr -d ' '; }
echo
echo "Made $(count index.html) web pages, $(count print.html) print pages, $(count '*.epub') EPUBs, $(count '*.txt') text files and" \
  "$(count topic.json) JSON files for Riverside Health."
echo "Open this file in a browser: $(pwd)/$DEST/index.html"
