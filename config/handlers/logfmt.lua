-- Of a line as level=info msg="some text" user=7: the text of msg. Other lines are left out.
function handle(message)
  local line = " " .. (message.value or "")
  return line:match(' msg="([^"]*)"') or line:match(" msg=(%S*)")
end
