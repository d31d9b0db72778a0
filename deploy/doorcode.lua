-- What haproxy.cfg cannot do by itself: remove all headers but those of a list, send an authentication subrequest to
-- doorcode, remove the cookies of doorcode from the app's request, and refuse trailers.

-- The client's headers that reach the app and doorcode; no others do. If your app needs a further one, add its name. The
-- list is the same as in nginx.conf.
local ALLOWED = [[
  accept accept-charset accept-encoding accept-language access-control-request-headers access-control-request-method
  authorization cache-control content-disposition content-encoding content-language content-md5 content-range
  content-type date digest dnt from idempotency-key if-match if-modified-since if-none-match if-range
  if-unmodified-since last-event-id link origin ping-from ping-to pragma prefer priority purpose range referer
  save-data sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user
  sec-gpc sec-purpose sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version
  service-worker slug upgrade-insecure-requests user-agent traceparent tracestate baggage x-request-id
  x-correlation-id x-requested-with x-csrf-token x-csrftoken x-xsrf-token x-xsrftoken x-api-key x-auth-token
  x-http-method-override hx-boosted hx-current-url hx-prompt hx-request hx-target hx-trigger hx-trigger-name
  turbo-frame x-turbo-request-id x-inertia x-inertia-version x-inertia-partial-component x-inertia-partial-data
  next-action next-router-prefetch next-router-state-tree next-url rsc depth destination if lock-token overwrite
  timeout brief tus-resumable upload-concat upload-defer-length upload-length upload-metadata upload-offset
  git-protocol x-grpc-web grpc-timeout kbn-xsrf ocs-apirequest requesttoken x-wp-nonce x-livewire x-grafana-org-id
  jenkins-crumb apollo-require-preflight x-nextjs-data
]]
-- HAProxy itself needs these: the host, the cookies, which are filtered below, and how long the body is.
local NEEDED_BY_HAPROXY = "host cookie content-length transfer-encoding expect"

local allowed = {}
for name in (ALLOWED .. NEEDED_BY_HAPROXY):gmatch("%S+") do allowed[name] = true end

-- The action `lua.remove_headers`. haproxy.cfg sets its own headers after it.
core.register_action("remove_headers", { "http-req" }, function(txn)
  for name in pairs(txn.http:req_get_headers()) do
    if not allowed[name] then txn.http:req_del_header(name) end
  end
end)

local URL = "http://127.0.0.1:3001/auth"
-- doorcode needs no other headers of the client to answer.
local PASSED_ON = {
  "accept", "origin", "sec-fetch-dest", "sec-fetch-mode", "traceparent", "tracestate", "x-requested-with",
  "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
}
local READ = {
  doorcode_user = "remote-user",
  doorcode_amr = "remote-amr",
  doorcode_assertion = "x-doorcode-assertion",
  doorcode_login = "x-doorcode-login",
  doorcode_cookie = "set-cookie",
}
-- doorcode does not need the whole of a very long URL. The browser then returns to the first page of the app.
local MAX_URL = 4096

-- Splits the Cookie lines of a request. A cookie belongs to doorcode if its name contains `doorcode-`.
local function split_cookies(lines)
  local ours, theirs = {}, {}
  for i = 0, lines and #lines or -1 do
    for cookie in lines[i]:gmatch("[^;]+") do
      cookie = cookie:match("^%s*(.-)%s*$")
      local name = cookie:match("^=*[^=]*"):lower()
      if cookie ~= "" then table.insert(name:find("doorcode-", 1, true) and ours or theirs, cookie) end
    end
  end
  return table.concat(ours, "; "), table.concat(theirs, "; ")
end

-- The action `lua.doorcode`. It sets txn.doorcode_status, _user, _amr, _assertion, _login and _cookie. The question goes
-- through a frontend of haproxy.cfg, so that the replicas are checked and balanced.
core.register_action("doorcode", { "http-req" }, function(txn)
  local request = txn.http:req_get_headers()
  local ours, theirs = split_cookies(request["cookie"])
  txn.http:req_del_header("cookie")
  if theirs ~= "" then txn.http:req_set_header("cookie", theirs) end

  local uri = txn.f:pathq()
  local headers = { ["x-forwarded-method"] = { txn.f:method() }, ["x-forwarded-uri"] = { #uri > MAX_URL and "/" or uri } }
  if ours ~= "" then headers["cookie"] = { ours } end
  for _, name in ipairs(PASSED_ON) do
    if request[name] then
      headers[name] = {}
      for i = 0, #request[name] do table.insert(headers[name], request[name][i]) end
    end
  end
  local ok, answer = pcall(function()
    return core.httpclient():get { url = URL, headers = headers, timeout = 3000 }
  end)
  -- If anything fails, there is no status, and haproxy.cfg lets no request through.
  if not ok or not answer or not answer.headers then return end
  txn:set_var("txn.doorcode_status", answer.status)
  for variable, name in pairs(READ) do
    local values = answer.headers[name]
    if values and values[0] ~= "" then txn:set_var("txn." .. variable, values[0]) end
  end
end)

-- The filter `lua.refuse_trailers`. HAProxy passes trailers of a request on, and some apps read a trailer Remote-User as
-- a header. HAProxy 3.2 could drop them (`option http-drop-request-trailers`); this filter also works in older versions.
-- A request with trailers gets 400, before the app receives them. Lua does not see trailers, but they count as input.
local RefuseTrailers = { id = "doorcode: refuse trailers", flags = filter.FLT_CFG_FL_HTX }
RefuseTrailers.__index = RefuseTrailers

function RefuseTrailers:new()
  return setmetatable({}, RefuseTrailers)
end

-- A WebSocket has no trailers; haproxy.cfg lets none have a body. What follows its headers is not HTTP.
function RefuseTrailers:http_headers(txn, message)
  if message:is_resp() or message:get_headers()["upgrade"] then return end
  filter.register_data_filter(self, message.channel)
end

function RefuseTrailers:http_payload(txn, message)
  local body = #(message:body() or "")
  -- One byte stands for the end of a chunked body.
  if message:input() - body <= 1 then return end
  self.trailers = true
  -- Keeps them back until the request is complete.
  if not message:eom() then return body end
end

function RefuseTrailers:http_end(txn, message)
  if self.trailers then return filter.ERROR end
end

core.register_filter("refuse_trailers", RefuseTrailers, function(class) return class end)
