"""What `mem bench` measures. Models and backends are handed in."""
