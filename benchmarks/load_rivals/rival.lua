-- wrk: POST one body; at the end print the number of answers, the share over two seconds, and p99.
wrk.method = "POST"
wrk.path = os.getenv("RIVAL_PATH")
wrk.body = os.getenv("RIVAL_BODY")
wrk.headers["Content-Type"] = "application/json"

function done(summary, latency, requests)
  local low, high = 0.0, 100.0
  for _ = 1, 40 do
    local middle = (low + high) / 2
    if latency:percentile(middle) > 2e6 then high = middle else low = middle end
  end
  local share = latency.max > 2e6 and (100 - low) / 100 or 0
  print(string.format('RIVAL {"all": %d, "late_share": %.8f, "p99_ms": %.3f}',
    summary.requests, share, latency:percentile(99) / 1000))
end
