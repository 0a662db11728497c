local check = "http://127.0.0.1:8081/"
local patience = 5000 -- milliseconds

local asked_by = {"cookie", "user-agent", "accept", "referer", "x-requested-with", "purpose", "sec-purpose",
	"sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest",
	"hx-request", "hx-boosted", "hx-current-url", "hx-history-restore-request"}
local identity = {"session-user", "session-tenant", "session-id"}
local of_the_connection = {["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true}

local function copy(values)
	local list = {}
	for _, value in pairs(values) do
		table.insert(list, value)
	end
	return list
end

local function refuse(txn, answer)
	local reply = txn:reply{status = 503}
	if answer.status >= 300 and answer.status < 600 then
		reply:set_status(answer.status)
		for name, values in pairs(answer.headers or {}) do
			for _, value in pairs(of_the_connection[name] and {} or values) do
				reply:add_header(name, value)
			end
		end
		reply:set_body(answer.body or "")
	end
	txn:done(reply)
end

core.register_action("session-check", {"http-req"}, function(txn)
	local headers = {
		["x-forwarded-uri"] = {txn.sf:pathq()},
		["x-forwarded-method"] = {txn.sf:method()},
		["x-forwarded-host"] = {txn.sf:req_fhdr("host")},
		["x-forwarded-proto"] = {txn.sf:ssl_fc() == "1" and "https" or "http"},
		["x-forwarded-for"] = {txn.sf:src()},
	}
	local request = txn.http:req_get_headers()
	for _, name in ipairs(asked_by) do
		if request[name] then
			headers[name] = copy(request[name])
		end
	end
	local answer = core.httpclient():get{url = check, headers = headers, timeout = patience}
	if answer.status ~= 200 then
		return refuse(txn, answer)
	end
	for _, name in ipairs(identity) do
		local value = copy(answer.headers[name] or {})[1]
		if value and value ~= "" then
			txn.http:req_set_header(name, value)
		end
	end
	local cookie = copy(answer.headers["set-cookie"] or {})[1]
	if cookie then
		txn:set_var("txn.session_cookie", cookie)
	end
	txn:set_var("txn.session_checked", true)
end)
