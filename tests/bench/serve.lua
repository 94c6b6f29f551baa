-- Requests for wrk: wrk -s serve.lua URL -- ask|put USERS ITEMS [RUN]
local what, users, items, run = "ask", 1, 1, "0"
local n = 0

function setup(thread)
    thread:set("number", count or 0)
    count = (count or 0) + 1
end

function init(args)
    what, users, items, run = args[1], tonumber(args[2]), tonumber(args[3]), args[4] or "0"
end

local arn = "arn:aws:personalize:us-east-1:000000000000:"

function request()
    n = n + 1
    local body
    if what == "ask" then
        body = '{"campaignArn":"' .. arn .. 'campaign/top","userId":"u' .. (n * 7919 % users + 1) ..
            '","numResults":25,"filterArn":"' .. arn .. 'filter/cheap"}'
        return wrk.format("POST", "/recommendations", { ["Content-Type"] = "application/json" }, body)
    end
    body = '{"trackingId":"any","userId":"w' .. n % 2000 .. '","sessionId":"s","eventList":[{"eventType":"view",' ..
        '"itemId":"i' .. n % items .. '","sentAt":' .. 1700000000 + n .. ',"eventId":"' .. run .. "-" .. number .. "-" .. n .. '"}]}'
    return wrk.format("POST", "/events", { ["Content-Type"] = "application/json" }, body)
end
