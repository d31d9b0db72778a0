-- wrk -s bench/flows.lua URL -- KEY CODE FIRST: complete flows, each a number of its own: ask for a code, then check it, as
-- answers come in. The last line is JSON; a flow counts when it is approved.
local key, code, asked, ids, head, tail = nil, nil, 0, {}, 1, 0
approved, other = 0, 0

local threads = {}
function setup(thread) table.insert(threads, thread) end

function init(args)
  key, code, asked = args[1], args[2], tonumber(args[3])
  wrk.method = "POST"
  wrk.headers["content-type"] = "application/json"
  wrk.headers["authorization"] = "Bearer " .. key
end

function request()
  if head <= tail then
    local id = ids[head]
    ids[head] = nil
    head = head + 1
    return wrk.format(nil, "/verifications/check", nil, '{"id":"' .. id .. '","code":"' .. code .. '"}')
  end
  asked = asked + 1
  return wrk.format(nil, "/verifications", nil, '{"to":"+1212' .. (2000000 + asked) .. '"}')
end

function response(status, _, body)
  if status == 201 then
    tail = tail + 1
    ids[tail] = body:match('"id":"([^"]+)"')
  elseif status == 200 then
    approved = approved + 1
  else
    other = other + 1
  end
end

function done(summary)
  local flows, faults = 0, 0
  for _, thread in ipairs(threads) do
    flows = flows + thread:get("approved")
    faults = faults + thread:get("other")
  end
  io.write(string.format('{"flows":%d,"faults":%d,"us":%d}\n', flows, faults, summary.duration))
end
