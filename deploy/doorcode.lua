-- Asks doorcode who is there: HAProxy has no auth_request of its own. Sets txn.doorcode_status, _user, _amr, _assertion,
-- _login and _cookie. Goes through haproxy.cfg's own frontend, so that replicas are checked and balanced.
local URL = "http://127.0.0.1:3001/auth"
local PASSED_ON = {
  "cookie", "accept",
  "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-method", "x-forwarded-uri",
}
local READ = {
  doorcode_user = "remote-user",
  doorcode_amr = "remote-amr",
  doorcode_assertion = "x-doorcode-assertion",
  doorcode_login = "x-doorcode-login",
  doorcode_cookie = "set-cookie",
}

core.register_action("doorcode", { "http-req" }, function(txn)
  local asked = txn.http:req_get_headers()
  local headers = {}
  for _, name in ipairs(PASSED_ON) do
    if asked[name] then
      headers[name] = {}
      for i = 0, #asked[name] do table.insert(headers[name], asked[name][i]) end
    end
  end
  local ok, answer = pcall(function()
    return core.httpclient():get { url = URL, headers = headers, timeout = 3000 }
  end)
  -- Whatever goes wrong: no status, and nobody gets in.
  if not ok or not answer or not answer.headers then return end
  txn:set_var("txn.doorcode_status", answer.status)
  for variable, name in pairs(READ) do
    local values = answer.headers[name]
    if values and values[0] ~= "" then txn:set_var("txn." .. variable, values[0]) end
  end
end)
