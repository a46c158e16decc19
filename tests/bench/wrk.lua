-- What wrk is told and asked: after "--" a method and a body's length may stand. Prints one line of JSON at the end.
function init(args)
    if args[1] then
        wrk.method = args[1]
        wrk.body = string.rep("p", tonumber(args[2]))
        wrk.headers["Content-Type"] = "application/octet-stream"
    end
end

function done(summary, latency)
    local failed = summary.errors
    print(string.format(
        '{"requests": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "errors": %d}',
        summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
        failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
