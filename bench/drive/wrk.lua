-- Sends requests that were signed beforehand, one after the other, from a file:
--   line 1: method; line 2: the number of bytes in a body (0 for none); line 3: "once" or "cycle";
--   lines 4 to the empty line: header lines common to all; then, a line each: target TAB authorization.
-- With "once" it stops when the list is used up, and says so, since a key can be deleted but once.
local method, body, once, common
local targets, authorizations = {}, {}
local count, at = 0, 0
local verified = false
issued = 0

function init(args)
  local file = assert(io.open(args[1], "r"))
  method = file:read("*l")
  body = string.rep("x", tonumber(file:read("*l")))
  once = file:read("*l") == "once"
  local lines = {}
  for line in file:lines() do
    if line == "" then break end
    lines[#lines + 1] = line
  end
  if #body > 0 then lines[#lines + 1] = "Content-Length: " .. #body end
  common = " HTTP/1.1\r\n" .. table.concat(lines, "\r\n") .. "\r\nAuthorization: "
  for line in file:lines() do
    local target, authorization = line:match("^([^\t]+)\t(.+)$")
    count = count + 1
    targets[count], authorizations[count] = target, authorization
  end
  file:close()
end

function request()
  -- wrk asks once before it starts, to see whether requests are pipelined, and does not send that one.
  if not verified then
    verified = true
    return method .. " " .. targets[1] .. common .. authorizations[1] .. "\r\n\r\n" .. body
  end
  at = at + 1
  if at > count then
    if once then
      io.stdout:write("EXHAUSTED\n")
      io.stdout:flush()
      wrk.thread:stop()
      -- Goes nowhere that counts: the loop has been told to end.
      return "HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    end
    at = 1
  end
  issued = issued + 1
  return method .. " " .. targets[at] .. common .. authorizations[at] .. "\r\n\r\n" .. body
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency, requests)
  local sent = 0
  for _, thread in ipairs(threads) do sent = sent + thread:get("issued") end
  local e = summary.errors
  io.stdout:write(string.format(
    '{"issued":%d,"requests":%d,"microseconds":%d,"bytes":%d,"p50":%d,"p99":%d,"max":%d,"status":%d,"socket":%d}\n',
    sent, summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    latency.max, e.status, e.connect + e.read + e.write + e.timeout))
end
