-- Each word with its topic before it, "orders/late": one stream of several topics, told apart.
function handle(message)
  local words, prefix = {}, message.topic .. "/"
  for word in (message.value or ""):gmatch("%S+") do
    words[#words + 1] = prefix .. word
  end
  return words
end
