-- Each word with its topic before it, "orders/late": one stream of several topics, told apart.
function handle(message)
  local words = {}
  for word in (message.value or ""):gmatch("%S+") do
    words[#words + 1] = message.topic .. "/" .. word
  end
  return words
end
