-- Only records whose header "lang" is "en". Of a header that is there twice the last one counts.
function handle(message)
  if message.headers.lang == "en" then
    return message.value
  end
end
