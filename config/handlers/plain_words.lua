-- Words in small letters without the punctuation around them. Lua's small letters are those of
-- ASCII; --lower knows all of Unicode's.
function handle(message)
  local words = {}
  for word in (message.value or ""):lower():gmatch("%S+") do
    word = word:match("^%p*(.-)%p*$")
    if word ~= "" then
      words[#words + 1] = word
    end
  end
  return words
end
