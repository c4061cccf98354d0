#!/bin/sh
# Install what `make test-engines` needs beside the project, or say what is missing; the tests skip what is not there.
bin=${1:-.venv/bin}
"$bin/python" -m pip install --quiet --editable '.[dask,spark]' || echo "Dask or Spark cannot be installed: their tests are skipped"
command -v java >/dev/null 2>&1 || [ -n "$JAVA_HOME" ] ||
  { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && apt-get install --yes --quiet default-jre-headless >/dev/null 2>&1; } ||
  echo "Java is not installed (Debian: apt-get install default-jre-headless): the tests of Spark are skipped"
