-- The hashtags of a text, each with its sign.
function handle(message)
  local tags = {}
  for tag in (message.value or ""):gmatch("#[%w_\x80-\xff]+") do
    tags[#tags + 1] = tag
  end
  return tags
end
