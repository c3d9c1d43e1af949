#!/usr/bin/env bash
# What works, and what is said, where the extra `llama` is not installed.
# Usage: HOME=FOLDER tests/light_install.sh FOLDER-WITH-PYTHON-AND-MEM
set -euo pipefail
mem=$1/mem
! "$1/python" -c 'import llama_cpp' 2>/dev/null
export MEM_DB=$HOME/light.db
echo '[{"role": "user", "content": "The door code is 3826."}]' | "$mem" ingest -
"$mem" search door code | grep -q 3826
"$mem" ask what is the door code | grep -q 3826
"$mem" demo > /dev/null
"$mem" doctor > /dev/null
status=0
refused=$("$mem" models pull --yes 2>&1) || status=$?
test "$status" = 7
grep -q "pip install 'memcli\[llama\]'" <<< "$refused"
status=0
refused=$("$mem" browse 2>&1) || status=$?
test "$status" = 2
grep -q "pip install 'memcli\[browse\]'" <<< "$refused"
"$mem" sessions --format tsv | grep -q generic
echo "the light install works"
