-- The third column of CSV (RFC 4180) as one word: quotes taken off, and blanks and commas left in.
local COLUMN = 3

local function columns(line)
  local all, at = {}, 1
  while at <= #line + 1 do
    local field, after = line:match('^"([^"]*)()', at)
    if field then
      while line:sub(after, after + 1) == '""' do -- two quotes are one
        local more
        more, after = line:match('^([^"]*)()', after + 2)
        field = field .. '"' .. more
      end
      after = after + 1 -- the closing quote
    else
      field, after = line:match("^([^,]*)()", at)
    end
    all[#all + 1] = field
    at = after + 1 -- the comma
  end
  return all
end

function handle(message)
  return { columns(message.value or "")[COLUMN] }
end
